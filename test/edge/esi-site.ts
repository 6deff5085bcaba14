/** A site with Edge Side Includes, for the tests of them: pages by path, and what is said of them. */
import { cached, origin, reply, type Answer, type Asked, type Origin } from './wire.ts';

export const esi = 'routes: [ { match: "/pages/**", esi: true } ]';
export const html = 'Content-Type: text/html; charset=utf-8';

type Pages = Readonly<Record<string, string | ((asked: Asked) => Buffer | undefined)>>;

/** Pages by path; text is HTML that may be cached. Undefined: no answer ever. What is not there is 404. */
export async function site(pages: Pages): Promise<Origin> {
  return origin((asked, socket) => {
    const page = pages[asked.target] ?? pages[asked.target.split('?')[0] ?? ''];
    const answer = typeof page === 'function' ? page(asked) : page === undefined ? reply('no', [html], '404 Not Found') : reply(page, [html, cached]);
    if (answer) socket.write(answer);
  });
}

export const textOf = (answer: Answer): string => answer.body.toString();
export const include = (src: string, more = ''): string => `<esi:include src="${src}"${more}/>`;
