import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { readTraceFile } from './trace-file.ts';
import { TraceFindings } from './trace-request.ts';

let folder = '';
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'foreshadow-trace-')); });
afterAll(() => { rmSync(folder, { recursive: true }); });

const jsonLines = Array.from({ length: 20_000 }, (_, i) => JSON.stringify({ time: 1_700_000_000_000 + i * 1000, url: `/page/${i % 97}/${'x'.repeat(i % 50)}` })).join('\n');

async function read(name: string, content: string | Uint8Array): Promise<{ readonly requests: number; readonly lastMs: number; readonly findings: ReturnType<TraceFindings['list']> }> {
  const path = join(folder, name);
  writeFileSync(path, content);
  const findings = new TraceFindings();
  let requests = 0;
  let lastMs = 0;
  for await (const batch of readTraceFile(path, 'auto', findings)) {
    requests += batch.length;
    lastMs = batch.at(-1)?.timeMs ?? lastMs;
  }
  return { requests, lastMs, findings: findings.list() };
}

describe('readTraceFile', () => {
  test.each([
    ['plain', (text: string) => text],
    ['gzip', (text: string) => gzipSync(text)],
    ['gzip in two members', (text: string) => Buffer.concat([gzipSync(text.slice(0, 5000)), gzipSync(text.slice(5000))])],
    ['zstd', (text: string) => zstdCompressSync(text)],
  ])('reads every line of a %s file', async (name, pack) => {
    expect(await read(`${name}.log`, pack(jsonLines))).toEqual({ requests: 20_000, lastMs: 1_700_000_000_000 + 19_999_000, findings: [] });
  });

  test('tells how many bytes of the file have been read, packed or not', async () => {
    for (const [name, content] of [['told.log', Buffer.from(jsonLines)], ['told.log.gz', gzipSync(jsonLines)]] as const) {
      const path = join(folder, name);
      writeFileSync(path, content);
      const told: number[] = [];
      for await (const batch of readTraceFile(path, 'auto', new TraceFindings(), (bytes) => { told.push(bytes); })) expect(batch.length).toBeGreaterThan(0);
      expect(told.at(-1)).toBe(content.length);
      expect(told).toEqual(told.toSorted((a, b) => a - b));
    }
  });

  test('counts bad lines by kind, shows where they are, and goes on', async () => {
    const log = [
      '{"time":1700000000000,"url":"/a"}', 'gibberish', '10.1.2.3 - - [14/Nov/2023:22:13:20 +0000] "GET /b HTTP/1.1" 200 5', '', '{"time":1700000000000}', 'more gibberish', 'x'.repeat(70_000),
    ].join('\r\n');
    const { requests, findings } = await read('bad.log', log);
    expect(requests).toBe(2);
    expect(findings.map(({ kind, count }) => [kind, count])).toEqual([['not-a-log-line', 2], ['no-url', 1], ['too-long', 1]]);
    expect(findings[0]?.examples[0]).toEndWith('bad.log:2: gibberish\r');
  });

  test('examples do not carry the client\'s address', async () => {
    const { findings } = await read('address.log', '10.1.2.3 - - [14/Nov/2023:22:13:20 +0000] "-" 400 0');
    expect(findings[0]?.examples.join()).not.toContain('10.1.2.3');
  });

  test('reads what there is of a compressed file that breaks off, and says so', async () => {
    const { requests, findings } = await read('cut.gz', gzipSync(jsonLines).subarray(0, 20_000));
    expect(requests).toBeGreaterThan(100);
    expect(findings.map(({ kind }) => kind)).toContain('cut-file');
  });

  test.each([['missing', 'nowhere.log'], ['a folder', '.']])('a file that is %s ends the run with a hint', async (_, name) => {
    const thrown = await readTraceFile(join(folder, name), 'auto', new TraceFindings()).next().catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: 'trace-unreadable' });
  });
});
