/**
 * Run as a child by crash.test.ts, to be killed: stores bodies, publishes them, collects now and then, and says on stdout what it has been
 * promised is safe. Arguments: folder, number of volumes.
 */
import { Catalog, noChange } from '../../src/catalog/index.ts';
import { silentLog, systemClock } from '../../src/kernel/index.ts';
import { openVolumes } from '../../src/store/index.ts';
import { sampleBody, sampleRecord } from './sample-record.ts';

const [folder = '', volumes = '2'] = process.argv.slice(2);
const paths = Array.from({ length: Number(volumes) }, (_, n) => `${folder}/v${n}`);
const blobs = await openVolumes({ paths, copies: 2, site: 'test', clock: systemClock, log: silentLog, limits: { segmentBytes: 20_000 } });
const catalog = await Catalog.open({ dirs: paths.map((path) => `${path}/catalog`), clock: systemClock, log: silentLog, keepVersions: 5, keepForMs: 3_600_000 });

process.stdout.write('open\n');
for (let version = catalog.head(); ; version++) {
  const records = [0, 1, 2].map((n) => sampleRecord((version * 2 + n) % 97, { requestTimeMs: version }));
  await Promise.all(records.map((record) => blobs.put(sampleBody(Number(record.resource.slice('/products/'.length))))));
  await blobs.sync();
  await catalog.publish(version, { ...noChange, put: records });
  process.stdout.write(`${version + 1}\n`);
  if (version % 7 === 6) await blobs.collect(catalog.liveBlobs());
}
