import { describe, expect, test } from 'bun:test';
import { parseCombinedLine } from './combined-line.ts';
import { parseJsonLine } from './json-line.ts';

const at = Date.UTC(2011, 7, 29, 7, 0, 18);

describe('a combined log line', () => {
  const line = (request: string, rest = '200 9767 "-" "Firefox"'): string => `10.0.0.1 - - [29/Aug/2011:00:00:18 -0700] "${request}" ${rest}`;

  test('is read whole', () => {
    expect(parseCombinedLine(line('GET /a.html?q=1 HTTP/1.1'))).toEqual({
      timeMs: at, method: 'GET', resource: '/a.html?q=1' as never, status: 200, region: undefined, userAgent: 'Firefox', client: '10.0.0.1 Firefox', referer: undefined, oddity: undefined,
    });
  });

  test('is read by its common prefix, with a user and without a size', () => {
    const common = 'example.host - Jo Doe [29/Aug/2011:00:00:18 -0700] "HEAD / HTTP/1.0" 304 -';
    expect(parseCombinedLine(common)).toMatchObject({ timeMs: at, method: 'HEAD', resource: '/', status: 304, userAgent: '' });
  });

  test.each([
    ['GET /ksc.html   NASA/home page HTTP/1.0', '/ksc.html%20%20%20NASA/home%20page', 'space-in-url'],
    ['GET /ksc.html', '/ksc.html', 'no-protocol'],
    ['GET /ksc.html HTTP/V1.0', '/ksc.html', 'odd-protocol'],
    ['GET http://other.example/b HTTP/1.0', '/b', 'absolute-url'],
    ['GET /a"b HTTP/1.0', '/a%22b', undefined],
  ])('%s is read for what it says', (request, resource, oddity) => {
    const result = parseCombinedLine(line(request));
    if (typeof result === 'string') throw new Error(result);
    expect(decodeURI(result.resource)).toBe(decodeURI(resource));
    expect(result.oddity).toBe(oddity as never);
  });

  test('an escaped quote belongs to the user agent', () => {
    expect(parseCombinedLine(line('GET / HTTP/1.1', '200 5 "-" "\\"Opera/9.80\\""'))).toMatchObject({ userAgent: '"Opera/9.80"' });
  });

  test.each([
    ['', 'not-a-log-line'],
    ['host\tlogname\ttime\tmethod\turl', 'not-a-log-line'],
    [line('-'), 'bad-request-line'],
    [line('\\x16\\x03\\x01'), 'bad-request-line'],
    [line('GET a HTTP/1.0'), 'bad-url'],
    ['h - - [31/Foo/2011:00:00:18 -0700] "GET / HTTP/1.0" 200 1', 'bad-time'],
    ['h - - [41/Aug/2011:00:00:18 -0700] "GET / HTTP/1.0" 200 1', 'bad-time'],
  ])('%s is left out with its reason', (text, fault) => {
    expect(parseCombinedLine(text)).toBe(fault as never);
  });

  test('a long hostile line is refused without endless backtracking', () => {
    // With an unbounded pattern this does not end within the test's time-out.
    expect(parseCombinedLine(`h - ${'[29/Aug/2011:00:00:18 -0700] "'.repeat(2000)}`)).toBe('not-a-log-line');
  });
});

describe('a JSON trace line', () => {
  test('needs a time and a URL only', () => {
    expect(parseJsonLine('{"time":1398902403000,"url":"/win/slam_0.1-32"}')).toEqual({
      timeMs: 1_398_902_403_000, method: 'GET', resource: '/win/slam_0.1-32' as never, status: 200, region: undefined, userAgent: '', client: '', referer: undefined, oddity: undefined,
    });
  });

  test('names the client as the trace does, by a string or a number', () => {
    expect(parseJsonLine('{"time":0,"url":"/","client":"05-01-6","userAgent":"x"}')).toMatchObject({ client: '05-01-6' });
    expect(parseJsonLine('{"time":0,"url":"/","client":7}')).toMatchObject({ client: '7' });
  });

  test.each([
    ['2014-05-01T00:00:03Z', 1_398_902_403_000], ['2014-05-01T02:00:03+0200', 1_398_902_403_000], ['2014-05-01 00:00:03', 1_398_902_403_000], ['2014-05-01T00:00:03.5Z', 1_398_902_403_500],
  ])('reads the time %s the same anywhere', (time, timeMs) => {
    expect(parseJsonLine(JSON.stringify({ time, url: '/', region: 'BR', method: 'head', status: 304 }))).toMatchObject({ timeMs, region: 'BR', method: 'HEAD', status: 304 });
  });

  test.each([
    ['{', 'not-json'], ['[]', 'not-json'], ['null', 'not-json'], ['{"url":"/"}', 'no-time'], ['{"time":"yesterday","url":"/"}', 'bad-time'], ['{"time":-1,"url":"/"}', 'bad-time'],
    ['{"time":1}', 'no-url'], ['{"time":1,"url":7}', 'bad-url'], ['{"time":1,"url":"nowhere"}', 'bad-url'], ['{"time":1,"url":"/","status":"200"}', 'bad-field'], ['{"time":1,"url":"/","region":4}', 'bad-field'],
  ])('%s is left out with its reason', (text, fault) => {
    expect(parseJsonLine(text)).toBe(fault as never);
  });
});
