/** The header fields of a browser's page request, so that servers parse what they parse in real life. */
export function browserFields(host: string): readonly (readonly [name: string, value: string])[] {
  return [
    ['Host', host],
    ['User-Agent', 'Mozilla/5.0 (Linux; Android 14; Pixel) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36'],
    ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
    ['Accept-Language', 'en-GB,en;q=0.9,de;q=0.7'],
    ['Accept-Encoding', 'identity'],
    ['Cookie', 'session=5f2b7c; segment=vip; theme=dark'],
    ['Upgrade-Insecure-Requests', '1'],
    ['Sec-Fetch-Mode', 'navigate'],
  ];
}

export function browserRequest(path: string, host: string): Buffer {
  const lines = browserFields(host).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
