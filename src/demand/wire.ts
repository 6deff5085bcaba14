/**
 * A demand window as bytes, for the bus: `FSDW`, a version byte, then variable-length integers and UTF-8 strings, each
 * region, variation and resource written once, and a CRC-32 at the end. The decoder trusts nothing: whatever it is given,
 * it returns a valid window or throws `bytes-invalid`.
 */
import { ByteReader, ByteWriter } from '../kernel/bytes.ts';
import { ForeshadowError } from '../kernel/index.ts';
import type { RegionName, ResourceKey, VariationKey } from '../kernel/index.ts';
import { journeyMin } from './journeys.ts';
import type { DemandCount, DemandStep, DemandSweep, DemandWindow } from './window.ts';

const magic = 'FSDW';
const version = 2;
/** A step's count is told in parts of this size, which the shares of up to eight sources are whole numbers of. */
const stepParts = 840;
/** Longest string of a window: `limits.url` can't be set above this. */
const stringBytesMax = 65_536;

export function encodeDemandWindow(window: DemandWindow): Uint8Array {
  const writer = new ByteWriter(magic, version);
  writer.uint(window.fromMs);
  writer.uint(window.toMs - window.fromMs);
  writer.uint(window.totals.person);
  writer.uint(window.totals.crawler);
  writer.uint(window.totals.prefetch);
  writer.uint(window.totals.generated);
  writer.uint(window.overflow);
  writer.uint(window.suspect);
  const columns = [
    tabulate([...window.counts.map(({ resource }) => resource), ...[...window.steps, ...window.sweeps].flatMap(({ from, to }) => [from, to])]),
    tabulate(window.counts.map(({ variation }) => variation)),
    tabulate([...window.counts, ...window.sweeps].map(({ region }) => region)),
  ];
  for (const table of columns) {
    writer.uint(table.size);
    for (const text of table.keys()) writer.string(text);
  }
  writer.uint(window.counts.length);
  for (const count of window.counts) {
    writer.uint(columns[0]?.get(count.resource) ?? 0);
    writer.uint(columns[1]?.get(count.variation) ?? 0);
    writer.uint(columns[2]?.get(count.region) ?? 0);
    writer.uint(count.count);
  }
  writeJourneys(writer, window, (resource) => columns[0]?.get(resource) ?? 0, (region) => columns[2]?.get(region) ?? 0);
  return writer.finish();
}

export function decodeDemandWindow(bytes: Uint8Array): DemandWindow {
  const reader = new ByteReader(bytes, magic, version, 'a demand window');
  const fromMs = reader.uint();
  const toMs = fromMs + reader.uint();
  const totals = { person: reader.uint(), crawler: reader.uint(), prefetch: reader.uint(), generated: reader.uint() };
  const overflow = reader.uint();
  const suspect = reader.uint();
  const resources = readTable(reader);
  const variations = readTable(reader);
  const regions = readTable(reader);
  // Each count takes at least four bytes, which bounds what a false number can make this allocate.
  const length = reader.length(4);
  const counts: DemandCount[] = [];
  let people = 0;
  for (let i = 0; i < length; i++) {
    const resource = resources[reader.uint()];
    const variation = variations[reader.uint()];
    const region = regions[reader.uint()];
    const count = reader.uint();
    if (resource === undefined || variation === undefined || region === undefined) throw invalid('a count names a string that is not there');
    if (resource === '' || count === 0) throw invalid('a count is empty');
    people += count;
    // The brands' parsers ran at the edge; here the strings only have to be the same bytes again.
    counts.push({ resource: resource as ResourceKey, variation: variation as VariationKey, region: region as RegionName, count });
  }
  const { steps, sweeps } = readJourneys(reader, resources, regions);
  reader.end();
  if (!Number.isSafeInteger(toMs)) throw invalid('the span is not a span');
  if (people + overflow !== totals.person) throw invalid('the counts do not add up to the total');
  return { fromMs, toMs, counts, totals, overflow, suspect, steps, sweeps };
}

function writeJourneys(writer: ByteWriter, { steps, sweeps }: DemandWindow, resourceAt: (resource: string) => number, regionAt: (region: string) => number): void {
  writer.uint(steps.length);
  for (const { from, to, lagMin, count } of steps) {
    writer.uint(resourceAt(from));
    writer.uint(resourceAt(to));
    writer.uint(lagMin);
    writer.uint(Math.max(1, Math.round(count * stepParts)));
  }
  writer.uint(sweeps.length);
  for (const { from, to, asked, seconds, region } of sweeps) {
    writer.uint(resourceAt(from));
    writer.uint(resourceAt(to));
    writer.uint(asked);
    writer.uint(seconds);
    writer.uint(regionAt(region));
  }
}

function readJourneys(reader: ByteReader, resources: readonly string[], regions: readonly string[]): { readonly steps: DemandStep[]; readonly sweeps: DemandSweep[] } {
  const resource = (): ResourceKey => {
    const found = resources[reader.uint()];
    if (found === undefined || found === '') throw invalid('a journey names a string that is not there');
    return found as ResourceKey; // as above: parsed at the edge
  };
  const steps: DemandStep[] = [];
  const stepsLength = reader.length(4);
  for (let i = 0; i < stepsLength; i++) {
    const step = { from: resource(), to: resource(), lagMin: reader.uint(), count: reader.uint() / stepParts };
    if (step.lagMin < 1 || step.lagMin > journeyMin || step.count === 0) throw invalid('a step is none');
    steps.push(step);
  }
  const sweeps: DemandSweep[] = [];
  const sweepsLength = reader.length(5);
  for (let i = 0; i < sweepsLength; i++) {
    const sweep = { from: resource(), to: resource(), asked: reader.uint(), seconds: reader.uint(), region: regions[reader.uint()] };
    const { region } = sweep;
    if (region === undefined || sweep.asked === 0 || sweep.seconds === 0) throw invalid('a sweep is none');
    sweeps.push({ ...sweep, region: region as RegionName }); // as above
  }
  return { steps, sweeps };
}

function tabulate(texts: readonly string[]): Map<string, number> {
  const table = new Map<string, number>();
  for (const text of texts) if (!table.has(text)) table.set(text, table.size);
  return table;
}

function readTable(reader: ByteReader): string[] {
  const length = reader.length(1);
  const table: string[] = [];
  for (let i = 0; i < length; i++) table.push(reader.string(stringBytesMax));
  return table;
}

function invalid(why: string): ForeshadowError {
  return new ForeshadowError('bytes-invalid', { source: 'bus', message: `a demand window can not be read: ${why}`, hint: 'run the same version of Foreshadow everywhere' });
}
