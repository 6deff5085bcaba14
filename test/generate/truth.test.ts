/** Good copies stay when the origin answers with errors in its own frame, and how true copies are is told. */
import { expect, test } from 'bun:test';
import { until } from '../../bench/machine/program.ts';
import { systemClock } from '../../src/kernel/index.ts';
import { makeSite } from './made-site.ts';

const menu = Array.from({ length: 150 }, (_, i) => `<li class="menu-item"><a href="/category/${i}">Category number ${i} of the shop</a></li>`).join('');
const article = (words: string): string => Array.from({ length: 12 }, (_, i) => `<p>${words} number ${i} is made of soft leather by hand.</p>`).join('');
const framed = (main: string): string => `<!doctype html><html><head><title>Red shoes</title></head><body><nav><ul>${menu}</ul></nav><main>${main}</main><footer>© 2026</footer></body></html>`;
const html = (body: string): Response => new Response(body, { headers: { 'content-type': 'text/html', 'cache-control': 'max-age=60' } });

test('an error page and an emptied one in the site\'s own frame do not take the place of good copies, and are looked at again', async () => {
  let sick = false;
  await using site = await makeSite({
    answer: (path) => {
      if (path === '/shoe') return html(framed(sick ? '<h1>Red shoes</h1><p>Something went wrong. Please try again later.</p>' : article('Shoe')));
      if (path === '/boot') return html(framed(sick ? '<h1>Boots</h1>' : article('Boot')));
      return path === '/about' ? html(framed(`<h1>503 Service Unavailable</h1>${article(sick ? 'Error' : 'Message')}`)) : new Response('no', { status: 404 });
    },
    rates: () => ({ '/shoe': 5, '/boot': 5, '/about': 5 }),
    config: 'freshness: { target: 1s }\ngenerate: { discover: false }',
  });
  await until('good copies', () => site.catalog.size === 3);
  const good = ['/shoe', '/boot'].map((path) => site.record(path)?.body);
  const about = site.record('/about')?.body;
  sick = true;
  await until('verdicts', () => {
    const { refused } = site.generator.status();
    return (refused['error-page'] ?? 0) > 0 && (refused['emptied'] ?? 0) > 0 && site.record('/about')?.body !== about;
  });
  expect(['/shoe', '/boot'].map((path) => site.record(path)?.body)).toEqual(good);
  sick = false;
  await until('the error is tried again after seconds', () => site.generator.status().waiting['error-page'] === undefined, 15_000);
}, 40_000);

test('renewals compare what was served with what is live; slots and clocks do not count', async () => {
  let number = 1;
  await using site = await makeSite({
    answer: (path) => {
      if (path === '/feed') return Response.json({ price: number });
      if (path === '/still') return html(framed(`<p id="price">${number}.00</p><p>It is ${10 + number}:45</p>${article('Still')}`));
      return path === '/lively' ? html(framed(article(`News of day ${number}`))) : new Response('no', { status: 404 });
    },
    rates: () => ({ '/still': 5, '/lively': 5 }),
    config: `freshness: { target: 1s }
generate: { discover: false }
feeds: { prices: { url: ORIGIN/feed } }
routes: [{ match: /still, slots: [{ name: price, select: "#price", feed: prices, value: /price }] }, { match: /lively }]`,
  });
  const routes = () => site.generator.status().fidelity.routes;
  await until('copies', () => site.catalog.size === 2);
  number = 2;
  await until('comparisons of both', () => routes().length === 2 && routes().every(({ samples, score, match }) => samples > 0 && (match === '/still' || score < 1)));
  const [lively, still] = routes();
  expect(still).toMatchObject({ match: '/still', score: 1, worst: [] });
  expect(lively).toMatchObject({ match: '/lively', worst: [{ resource: '/lively' as never, differs: ['gone: "News of day 1 number 0 is made of soft leather by hand."', 'new: "News of day 2 number 0 is made of soft leather by hand."'] }] }); // a plain path is a key
  expect(lively?.score).toBeGreaterThan(0.3);
}, 30_000);

test('a fresh copy that is asked for is compared now and then, without its validators', async () => {
  let body = 'Shoe';
  const conditional: string[] = [];
  await using site = await makeSite({
    answer: (path, request) => {
      const condition = request.headers.get('if-none-match');
      if (condition !== null) conditional.push(path);
      return path === '/lies' ? new Response(framed(article(body)), { headers: { 'content-type': 'text/html', 'cache-control': 'max-age=600', etag: '"always the same"' } }) : new Response('no', { status: 404 });
    },
    rates: () => ({ '/lies': 5 }), config: 'generate: { discover: false }',
    // Ten seconds pass ten times as fast.
    clock: { ...systemClock, nowMs: () => systemClock.nowMs(), monotonicMs: () => systemClock.monotonicMs(), after: (delayMs, act) => systemClock.after(delayMs >= 10_000 ? delayMs / 20 : delayMs, act) },
  });
  await until('a copy', () => site.catalog.size === 1);
  body = 'Boot';
  await until('a comparison', () => (site.generator.status().fidelity.routes[0]?.worst.length ?? 0) > 0);
  expect(conditional).toEqual([]);
  expect(site.generator.status().fidelity.routes[0]).toMatchObject({ match: '/**', worst: [{ resource: '/lies' as never }] }); // a plain path is a key
}, 30_000);
