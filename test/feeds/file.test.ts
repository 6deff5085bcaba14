import { afterEach, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { key, onStrike, pollFeed, stage, strike, type Stage } from './site.ts';

afterEach(strike);

interface Watched extends Stage {
  readonly file: string;
}

function watched(content: string | undefined, startMs?: number): Watched {
  const folder = mkdtempSync(join(tmpdir(), 'foreshadow-feeds-'));
  onStrike(() => { rmSync(folder, { recursive: true, force: true }); });
  const file = join(folder, 'stock.json');
  if (content !== undefined) writeFileSync(file, content);
  const stood = stage([{ ...pollFeed(''), name: 'stock', source: { kind: 'file', path: file, everyMs: 1000 } }], {}, startMs);
  stood.hub.start();
  return { ...stood, file };
}

const stock = key('stock');

test('a file that is there and unchanged confirms its value on each look, and is not read again', async () => {
  const { hub, clock, changed, settled, again } = watched('{"a":1}');
  await settled();
  const startMs = clock.nowMs();
  expect(hub.value(stock)).toMatchObject({ document: { a: 1 }, valueTimeMs: startMs, heardMs: startMs });
  await again();
  const { heardMs = 0, state } = await again();
  expect(heardMs).toBeGreaterThanOrEqual(startMs + 2000);
  expect(state).toBe('ok');
  expect(hub.value(stock)?.valueTimeMs).toBe(startMs);
  expect(changed).toEqual([stock]);
});

test('it is read again when its time, size or inode is another', async () => {
  const { hub, file, settled, again } = watched('{"a":1}');
  await settled();
  writeFileSync(file, '{"a":2}');
  await again();
  expect(hub.value(stock)?.document).toEqual({ a: 2 });
  writeFileSync(`${file}.new`, '{"a":3}');
  renameSync(`${file}.new`, file);
  await again();
  expect(hub.value(stock)?.document).toEqual({ a: 3 });
  utimesSync(file, 1, 1);
  expect((await again()).changes).toBe(3);
});

test('what a writer has half done leaves the last good value, unconfirmed, until it is done', async () => {
  const { hub, clock, file, settled, again } = watched('{"a":1}');
  await settled();
  const heardMs = clock.nowMs();
  writeFileSync(file, '{"a":2');
  expect(await again()).toMatchObject({ state: 'failing', heardMs, refused: { 'not-json': 1 } });
  // The same bad content says nothing new, and confirms nothing.
  expect(await again()).toMatchObject({ state: 'failing', heardMs, refused: { 'not-json': 1 } });
  truncateSync(file, 0);
  expect(await again()).toMatchObject({ state: 'failing', heardMs, refused: { 'not-json': 2 } });
  writeFileSync(file, '{"a":2}');
  expect(await again()).toMatchObject({ state: 'ok' });
  expect(hub.value(stock)?.document).toEqual({ a: 2 });
});

test('a file changed less than 2 s ago may change again under the same time: it is read once more', async () => {
  const { settled, again } = watched('{"a":1', Date.now());
  await settled();
  expect(await again()).toMatchObject({ refused: { 'not-json': 2 } });
  for (let time = 0; time < 4; time++) await again();
  // By now it has been still for long enough: what was read is the last word.
  const { refused } = await again();
  expect((await again()).refused).toEqual(refused);
});

test('a file that is gone, a folder, a pipe and a file that is too large leave the last good value', async () => {
  const { hub, clock, file, settled, again } = watched('{"a":1}');
  await settled();
  const heardMs = clock.nowMs();
  rmSync(file);
  expect(await again()).toMatchObject({ state: 'failing', error: 'the file can not be read (ENOENT)', refused: { unreadable: 1 } });
  mkdirSync(file);
  expect(await again()).toMatchObject({ error: 'the path names no plain file', refused: { unreadable: 2 } });
  rmSync(file, { recursive: true });
  execFileSync('mkfifo', [file]);
  expect(await again()).toMatchObject({ error: 'the path names no plain file', refused: { unreadable: 3 } });
  rmSync(file);
  writeFileSync(file, '');
  truncateSync(file, 1024 ** 3);
  expect(await again()).toMatchObject({ error: 'the file has more than 4194304 bytes', refused: { 'unreadable': 3, 'too-large': 1 } });
  expect(hub.value(stock)).toMatchObject({ document: { a: 1 }, heardMs });
  rmSync(file);
  writeFileSync(file, '{"a":1}');
  expect(await again()).toMatchObject({ state: 'ok', changes: 1 });
});

test('a file that is not there at first is found later', async () => {
  const { hub, file, settled, again } = watched(undefined);
  expect(await settled()).toMatchObject({ state: 'never' });
  writeFileSync(file, '[1]');
  await again();
  expect(hub.value(stock)?.document).toEqual([1]);
});
