/** What `npm start -- --origin URL` promises: browse, kill the site, and readers notice nothing; not even without the brain, or after a power cut. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { until } from '../../bench/machine/program.ts';
import { PlainSite, RunningForeshadow } from './program.ts';

const pages = 30;
let site: PlainSite;
let foreshadow: RunningForeshadow;

beforeAll(async () => {
  site = await PlainSite.create(pages);
  foreshadow = await RunningForeshadow.start({ originUrl: site.url });
}, 30_000);
afterAll(async () => {
  await foreshadow[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

async function expectEverything(): Promise<void> {
  for (const path of site.paths) {
    const answer = await fetch(foreshadow.url + path);
    expect(`${path} ${answer.status}`).toBe(`${path} 200`);
    expect(await answer.text()).toBe(PlainSite.body(path));
    expect(answer.headers.get('cache-status')).toMatch(/^foreshadow; *hit/i);
    expect(answer.headers.get('foreshadow')).toMatch(/source=(shadow|rescue)/);
    expect(answer.headers.get('age')).toMatch(/^\d+$/);
  }
}

describe('a site that goes away', () => {
  test('while it is well, its own answers come, and say where from', async () => {
    const answer = await fetch(`${foreshadow.url}/pages/3`);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe(PlainSite.body('/pages/3'));
    expect(answer.headers.get('content-length')).toBe(String(PlainSite.body('/pages/3').length));
    expect(answer.headers.get('foreshadow')).toMatch(/source=(origin|shadow)/);
    const posted = await fetch(`${foreshadow.url}/orders`, { method: 'POST', body: 'x' });
    expect(await posted.text()).toBe('POST /orders\n');
  });

  test('everything browsed or in the sitemap is answered when it is gone', async () => {
    // Nobody has asked for most pages: they come from the sitemap, the style sheet from a page.
    await foreshadow.published(site.paths.length);
    await site.stop();
    await expectEverything();
  }, 30_000);

  test('conditional, range and HEAD requests work on shadows as on the site', async () => {
    const path = `${foreshadow.url}/pages/7`;
    const whole = await fetch(path);
    const etag = whole.headers.get('etag') ?? '';
    const body = await whole.text();
    expect((await fetch(path, { headers: { 'if-none-match': etag } })).status).toBe(304);
    const part = await fetch(path, { headers: { range: 'bytes=10-19' } });
    expect(part.status).toBe(206);
    expect(await part.text()).toBe(body.slice(10, 20));
    const head = await fetch(path, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(body.length));
    expect(await head.text()).toBe('');
  });

  test('what has no shadow, and what writes, gets an honest 503', async () => {
    for (const request of [new Request(`${foreshadow.url}/never-seen`), new Request(`${foreshadow.url}/pages/1`, { method: 'POST', body: 'x' })]) {
      const answer = await fetch(request);
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(answer.headers.get('foreshadow')).toContain('source=none');
      expect(await answer.text()).toContain('<h1>');
    }
    const json = await fetch(`${foreshadow.url}/never-seen`, { headers: { accept: 'application/json' } });
    expect(json.headers.get('content-type')).toStartWith('application/problem+json');
  });

  test('with the brain killed in the middle of it, no request fails', async () => {
    const outcomes = new Map<number, number>();
    let asked = 0;
    const ask = async (): Promise<void> => {
      const path = site.paths[asked++ % site.paths.length] ?? '/';
      const answer = await fetch(foreshadow.url + path).catch(() => undefined);
      const right = answer?.status === 200 && await answer.text() === PlainSite.body(path);
      const outcome = right ? 200 : answer?.status ?? 0;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    };
    const brains = foreshadow.children;
    expect(brains.length).toBeGreaterThan(0);
    for (let at = 0; at < 200; at++) await ask();
    for (const pid of brains) process.kill(pid, 'SIGKILL');
    for (let at = 0; at < 400; at++) await ask();
    // It is started again by itself, and that disturbs nobody either.
    await until('a new brain', async () => {
      await ask();
      return (await foreshadow.status()) !== undefined && !foreshadow.children.some((pid) => brains.includes(pid));
    }, 15_000);
    expect([...outcomes.keys()]).toEqual([200]);
  }, 30_000);

  test('after a power cut of everything, and with the site still gone, all shadows are served', async () => {
    await foreshadow.kill();
    await foreshadow.startAgain();
    await expectEverything();
  }, 30_000);

  test('when the site is back, it answers again', async () => {
    site.start();
    const before = site.asked.length;
    await until('the origin to answer visitors again', async () => {
      const answer = await fetch(`${foreshadow.url}/orders`, { method: 'POST', body: 'x' });
      return answer.status === 200;
    }, 20_000);
    expect(site.asked.slice(before).some(({ method }) => method === 'POST')).toBe(true);
  }, 30_000);

  test('it ends on SIGTERM, without an error and without leaving a process', async () => {
    const children = foreshadow.children;
    process.kill(foreshadow.pid, 'SIGTERM');
    expect(await foreshadow.exited).toBe(0);
    await until('its processes to be gone', () => !children.some((pid) => {
      try { return process.kill(pid, 0); } catch { return false; }
    }));
  }, 30_000);
});
