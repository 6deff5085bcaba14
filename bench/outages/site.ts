/**
 * The site of the outage benchmark: 400 pages × 2 devices × 3 segments, 16 KiB each. Every body says for whom it was made,
 * at its beginning and its end, so that a wrong variation, a wrong page and a cut body are all seen. Pure.
 */
import type { Random } from '../../src/kernel/index.ts';

/** Of the benchmark; the tests use fewer. */
export const pagesMax = 400;
export const devices = ['desktop', 'mobile'] as const;
export const segments = ['new', 'loyal', 'vip'] as const;
const bodyBytes = 16_384;

export type Device = (typeof devices)[number];
export type Segment = (typeof segments)[number];
export interface Visit { readonly page: number; readonly device: Device; readonly segment: Segment }

const userAgents: Readonly<Record<Device, string>> = {
  desktop: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  mobile: 'Mozilla/5.0 (Linux; Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0',
};

function pathOf(page: number): string {
  return `/pages/${page}`;
}

/** The fields browsers send, six of them besides Host and Connection. */
export function requestBytes(visit: Visit): Buffer {
  return Buffer.from([
    `GET ${pathOf(visit.page)} HTTP/1.1`,
    'Host: site.example',
    `User-Agent: ${userAgents[visit.device]}`,
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language: en-GB,en;q=0.5',
    'Accept-Encoding: identity',
    `Cookie: segment=${visit.segment}; theme=dark`,
    'Upgrade-Insecure-Requests: 1',
    '', '',
  ].join('\r\n'), 'latin1');
}

const filler = Buffer.from('<p>All work and no play makes for a long page.</p>\n'.repeat(400), 'latin1');

/** `serial` makes each rendering a new body of the same length, as pages with a clock or a token in them are. */
export function bodyFor(visit: Visit, serial: number): Buffer {
  const mark = `page=${visit.page} device=${visit.device} segment=${visit.segment}`;
  const first = Buffer.from(`<!doctype html><title>${mark}</title><p>Rendering ${String(serial).padStart(9, '0')}</p>\n`, 'latin1');
  const last = Buffer.from(`<!-- end ${mark} -->`, 'latin1');
  return Buffer.concat([first, filler.subarray(0, bodyBytes - first.length - last.length), last]);
}

export type Verdict = 'right' | 'wrong-variation' | 'wrong-body' | 'cut';

/** What a 200 body is worth to the one who asked for `visit`. */
export function judge(visit: Visit, body: Uint8Array): Verdict {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const mark = `page=${visit.page} device=${visit.device} segment=${visit.segment}`;
  const found = /<title>(page=\d+) device=\w+ segment=\w+<\/title>/.exec(bytes.toString('latin1', 0, 120));
  if (found === null) return 'wrong-body';
  if (!found[0].includes(`${mark}<`)) return found[1] === `page=${visit.page}` ? 'wrong-variation' : 'wrong-body';
  return bytes.length === bodyBytes && bytes.toString('latin1', bodyBytes - 80).endsWith(`<!-- end ${mark} -->`) ? 'right' : 'cut';
}

export function visitOf(path: string, userAgent: string, cookie: string): Visit | undefined {
  const page = Number(/^\/pages\/(\d+)$/.exec(path)?.[1] ?? Number.NaN);
  if (!(page < pagesMax)) return undefined;
  const named = /(?:^|;\s*)segment=(\w+)/.exec(cookie)?.[1];
  return {
    page,
    device: /mobile/i.test(userAgent) ? 'mobile' : 'desktop',
    segment: segments.find((segment) => segment === named) ?? 'new',
  };
}

/**
 * Zipf popularity with exponent 0.8: of 12,000 requests (the 40 s warm-up) it leaves 3.8 % of the next ones to
 * variations nobody has asked for, which is what a plain cache fails on.
 */
export function createVisitSampler(random: Random, pages: number): () => Visit {
  const cumulative = new Float64Array(pages);
  let sum = 0;
  for (let page = 0; page < pages; page++) cumulative[page] = sum += 1 / (page + 1) ** 0.8;
  return () => {
    const at = random.next() * sum;
    let low = 0;
    let high = pages - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulative[middle] ?? sum) > at) high = middle;
      else low = middle + 1;
    }
    return {
      page: low,
      device: devices[random.below(devices.length)] ?? 'desktop',
      segment: segments[random.below(segments.length)] ?? 'new',
    };
  };
}

export function sitemap(origin: string, pages: number): string {
  const urls = Array.from({ length: pages }, (_, page) => `<url><loc>${origin}${pathOf(page)}</loc></url>`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${urls.join('\n')}</urlset>\n`;
}
