import { blobStoreSuite } from '../../test/store/blob-store-suite.ts';
import { openMemoryStore } from './memory-store.ts';

blobStoreSuite('memory', { open: async () => openMemoryStore(), cleanUp: async () => undefined });
