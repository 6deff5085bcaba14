/** Run as a child by crash.test.ts, to be killed: fills a local store and says on stdout which puts have resolved. Argument: folder. */
import { silentLog, systemClock } from '../../src/kernel/index.ts';
import { digestOf, openLocalStore } from '../../src/store/index.ts';
import { sampleBody, sampleRecord } from './sample-record.ts';

const [folder = ''] = process.argv.slice(2);
const store = openLocalStore({ path: folder, limits: { variantsPerVariation: 4, storageBytes: 400_000 }, clock: systemClock, log: silentLog });
process.stdout.write('open\n');
for (let round = store.appliedVersion() + 1; ; round++) {
  const puts = Array.from({ length: 8 }, async (_, n) => {
    const key = (round * 5 + n) % 61;
    await store.put(sampleRecord(key, { version: round, responseTimeMs: round }), sampleBody(key));
    // Captures come and go all the time, so that segments are rewritten while the axe falls.
    const capture = 1000 + round * 8 + n;
    const body = sampleBody(capture, 2000);
    await store.put(sampleRecord(capture, { body: digestOf(body), bodyBytes: body.byteLength }), body);
  });
  await Promise.all(puts);
  await store.setAppliedVersion(round);
  process.stdout.write(`${round}\n`);
}
