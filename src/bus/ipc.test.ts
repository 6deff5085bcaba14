import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../kernel/index.ts';
import { IpcEnd, startManaged, unacknowledgedMax, waitingMax, type Frame } from './ipc.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ipc-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Two ends joined in this process; `hold` keeps frames back. */
function pair(): { left: IpcEnd<number, number>; right: IpcEnd<number, number>; configs: unknown[] } {
  const configs: unknown[] = [];
  const left: IpcEnd<number, number> = new IpcEnd((frame) => { right.accept(structuredClone(frame)); });
  const right: IpcEnd<number, number> = new IpcEnd((frame) => { left.accept(structuredClone(frame)); }, (config) => configs.push(config));
  return { left, right, configs };
}

test('messages arrive in order, also those sent before there was a receiver', () => {
  const { left, right } = pair();
  left.send(1);
  left.send(2);
  const got: number[] = [];
  right.onMessage((message) => got.push(message));
  left.send(3);
  expect(got).toEqual([1, 2, 3]);
});

test('what waits for a receiver is bounded, and what did not fit is counted', () => {
  const { left, right } = pair();
  for (let i = 0; i < waitingMax + 5; i++) left.send(i);
  expect(right.dropped).toBe(5);
  let got = 0;
  right.onMessage(() => got++);
  expect(got).toBe(waitingMax);
});

test('a reader that never acknowledges costs the sender a bounded queue', () => {
  const frames: Frame[] = [];
  const end = new IpcEnd<number, number>((frame) => frames.push(frame));
  for (let i = 0; i < unacknowledgedMax + 7; i++) end.send(i);
  expect(frames.length).toBe(unacknowledgedMax);
  expect(end.dropped).toBe(7);
  end.accept({ type: 'acknowledge', count: 16 });
  end.send(1);
  expect(frames.length).toBe(unacknowledgedMax + 1);
});

test('acknowledgements keep a long conversation going', () => {
  const { left, right } = pair();
  let got = 0;
  right.onMessage(() => got++);
  for (let i = 0; i < unacknowledgedMax * 3; i++) left.send(i);
  expect(got).toBe(unacknowledgedMax * 3);
  expect(left.dropped).toBe(0);
});

test('a lost end drops and counts, and says so once, also to who asks late', () => {
  const { left } = pair();
  let lost = 0;
  left.onLost(() => lost++);
  left.lose();
  left.lose();
  left.send(1);
  expect(lost).toBe(1);
  expect(left.dropped).toBe(1);
  left.onLost(() => lost++);
  expect(lost).toBe(2);
});

test('frames that are not ours are ignored', () => {
  const { right } = pair();
  let got = 0;
  right.onMessage(() => got++);
  for (const odd of [null, 1, 'x', {}, { type: 'other' }]) right.accept(odd);
  expect(got).toBe(0);
});

const childSource = `
import { parentEnd } from ${JSON.stringify(join(import.meta.dir, 'ipc.ts'))};
const bus = parentEnd(process, (config) => { bus.send({ config }); });
bus.onMessage((message) => { bus.send({ echo: message }); });
bus.onLost(() => { require('node:fs').writeFileSync(process.argv[2], 'lost'); process.exit(0); });
`;

async function waitFor(condition: () => boolean | Promise<boolean>, deadlineMs = 5000): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error('condition not met in time');
    await Bun.sleep(5);
  }
}

test('a real child gets its configuration first, answers, takes a new one, and is seen to go', async () => {
  const script = join(folder, 'child.ts');
  await writeFile(script, childSource);
  const child = startManaged<unknown, Record<string, unknown>>({
    command: [process.execPath, script, join(folder, 'unused')], env: process.env, config: { site: 'shop', none: undefined }, log: silentLog,
  });
  const got: Record<string, unknown>[] = [];
  let lost = false;
  child.bus.onMessage((message) => got.push(message));
  child.bus.onLost(() => { lost = true; });
  child.bus.send({ n: Number.NaN });
  await waitFor(() => got.length === 2);
  expect(got[0]).toEqual({ config: { site: 'shop', none: undefined } });
  expect(got[1]).toEqual({ echo: { n: Number.NaN } });
  child.configure({ site: 'other' });
  await waitFor(() => got.length === 3);
  expect(got[2]).toEqual({ config: { site: 'other' } });
  child.kill('SIGKILL');
  expect(await child.exited).toBe(137);
  await waitFor(() => lost);
  child.bus.send('late');
  expect(child.bus.dropped).toBe(1);
  expect(child.configure({})).toBe(false);
});

test('a child whose parent is killed notices and ends', async () => {
  const child = join(folder, 'orphan.ts');
  const parent = join(folder, 'parent.ts');
  const mark = join(folder, 'mark');
  await writeFile(child, childSource);
  await writeFile(parent, `
import { startManaged } from ${JSON.stringify(join(import.meta.dir, 'ipc.ts'))};
const log = { error() {} };
const child = startManaged({ command: [process.execPath, ${JSON.stringify(child)}, ${JSON.stringify(mark)}], env: process.env, config: {}, log });
child.bus.onMessage(() => { process.kill(process.pid, 'SIGKILL'); });
`);
  const running = Bun.spawn([process.execPath, parent], { stdio: ['ignore', 'ignore', 'inherit'] });
  await running.exited;
  await waitFor(() => Bun.file(mark).exists());
  expect(await Bun.file(mark).text()).toBe('lost');
});
