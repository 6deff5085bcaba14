/** What the replayed site answers for each URL: 1 to 32 KiB that name the URL first, always the same. */
export function pageBody(url: string): string {
  let hash = 0;
  for (let at = 0; at < url.length; at++) hash = (Math.imul(hash, 31) + url.charCodeAt(at)) >>> 0;
  return `url ${url}\n`.padEnd(1024 + (hash % 31_744), 'The quick brown fox jumps over the lazy dog. ');
}
