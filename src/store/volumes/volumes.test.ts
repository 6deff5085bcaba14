import { ManualClock, silentLog } from '../../kernel/index.ts';
import { blobStoreSuite } from '../../../test/store/blob-store-suite.ts';
import { TemporaryFolders } from '../../../test/store/temporary-folder.ts';
import { openVolumes } from './index.ts';

for (const [volumes, copies, segmentBytes] of [[1, 1, 1 << 20], [2, 2, 4096], [3, 2, 4096]] as const) {
  const folders = new TemporaryFolders();
  let paths: string[] = [];
  const open = () => openVolumes({ paths, copies, site: 'test', clock: new ManualClock(), log: silentLog, limits: { segmentBytes } });
  blobStoreSuite(`volumes (${copies} copies on ${volumes}, segments of ${segmentBytes})`, {
    open: () => {
      paths = Array.from({ length: volumes }, () => folders.make());
      return open();
    },
    reopen: async (store) => {
      await store.close();
      return open();
    },
    cleanUp: async () => { folders.remove(); },
  });
}
