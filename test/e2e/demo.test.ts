/** `foreshadow demo` without a terminal: it runs, reports, survives the killing of its shop, and leaves nothing behind. */
import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { processTree, until } from '../../bench/machine/program.ts';

const mainFile = resolve(import.meta.dir, '../../src/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'foreshadow-e2e-demo-'));
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

function demo(...args: readonly string[]): Bun.Subprocess<'ignore', 'pipe', 'pipe'> {
  return Bun.spawn([process.execPath, mainFile, 'demo', ...args], { cwd: folder, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
}

function alive(pid: number): boolean {
  try { return process.kill(pid, 0); } catch { return false; }
}

test('it plays for a while, its shop is killed, and nothing fails', async () => {
  const running = demo('--any-ports', '--for', '21s', '--kill-after', '15s', '--seed', '5', '--data', folder);
  let tree: number[] = [];
  await until('all its processes', () => (tree = processTree(running.pid)).length >= 4, 20_000);
  const [output, problems, code] = await Promise.all([new Response(running.stdout).text(), new Response(running.stderr).text(), running.exited]);
  expect(problems).toBe('');
  expect(output).toMatch(/eu-west +http:\/\/127\.0\.0\.1:\d+/);
  expect(output).toMatch(/shop killed, seen (failing|down|strained)/);
  expect(output).toMatch(/\d+ answers: \d+ from origin, [1-9]\d* from shadow, .*; 0 failed, 0 wrong/);
  expect(code).toBe(0);
  await until('its processes to be gone', () => !tree.some(alive));
}, 60_000);

test('it ends on SIGTERM and leaves no process behind', async () => {
  const running = demo('--any-ports', '--data', folder);
  let tree: number[] = [];
  await until('all its processes', () => (tree = processTree(running.pid)).length >= 4, 20_000);
  running.kill('SIGTERM');
  await running.exited;
  await until('its processes to be gone', () => !tree.some(alive));
}, 60_000);

test('a command line that is not understood is refused with 2', async () => {
  for (const args of [['--for', 'soon'], ['--rate', '-1'], ['--nonsense'], ['--replay', 'x.log']]) {
    const running = demo(...args);
    expect(await new Response(running.stderr).text()).toStartWith('foreshadow demo: ');
    expect(await running.exited).toBe(2);
  }
}, 30_000);
