import { afterEach, expect, test } from 'bun:test';
import { type Disk, systemDisk } from '../../kernel/disk.ts';
import { ManualClock, silentLog } from '../../kernel/index.ts';
import { sampleBody } from '../../../test/store/sample-record.ts';
import { TemporaryFolders } from '../../../test/store/temporary-folder.ts';
import { digestOf } from '../digest.ts';
import { openVolumes, openVolumesFollower } from './index.ts';

const temporary = new TemporaryFolders();
afterEach(() => { temporary.remove(); });

const digests = Array.from({ length: 20 }, (_, n) => digestOf(sampleBody(n)));

test('what was read before is found again when it is wanted once more, by however many at a time; what is nowhere is not looked for all the time', async () => {
  const paths = [temporary.make()];
  const clock = new ManualClock();
  const store = await openVolumes({ paths, site: 'test', clock, log: silentLog });
  for (let n = 0; n < digests.length; n++) await store.put(sampleBody(n));
  await store.sync();
  let opened = 0;
  const disk: Disk = {
    ...systemDisk,
    openForReading(path) {
      opened += 1;
      return systemDisk.openForReading(path);
    },
  };
  const follower = openVolumesFollower({ paths, clock, log: silentLog, has: () => false, disk });
  const all = async (): Promise<number> => (await Promise.all(digests.map((digest) => follower.get(digest)))).filter((body) => body !== undefined).length;
  expect(await all()).toBe(20);
  // All were forgotten once they were read; the next ask is the search for each of them.
  expect(await all()).toBe(20);
  const before = opened;
  expect(await follower.get(digestOf(sampleBody(99)))).toBeUndefined();
  expect(opened).toBe(before);
  clock.advance(30_000);
  expect(await follower.get(digestOf(sampleBody(99)))).toBeUndefined();
  expect(opened).toBeGreaterThan(before);
  await store.close();
});
