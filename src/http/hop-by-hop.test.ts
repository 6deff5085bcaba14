import { expect, test } from 'bun:test';
import { endToEnd, isHopByHop } from './hop-by-hop.ts';
import type { HeaderList } from './headers.ts';

test('drops what is for one connection and keeps the rest in order', () => {
  const list: HeaderList = [
    ['x', '1'], ['connection', 'close, Foo'], ['connection', 'bar,,'], ['foo', 'a'], ['bar', 'b'], ['te', 'trailers'], ['transfer-encoding', 'chunked'],
    ['upgrade', 'h2c'], ['trailer', 'x'], ['keep-alive', 'timeout=5'], ['proxy-connection', 'keep-alive'], ['proxy-authorization', 's'],
    ['proxy-authenticate', 'Basic'], ['proxy-authentication-info', 'i'], ['set-cookie', 'a=b'], ['set-cookie', 'c=d'], ['x', '2'],
  ];
  expect(endToEnd(list)).toEqual([['x', '1'], ['set-cookie', 'a=b'], ['set-cookie', 'c=d'], ['x', '2']]);
});

test('Connection can not take away what others rely on', () => {
  const list: HeaderList = [['connection', 'cache-control, authorization, x-forwarded-for, content-length, close'], ['cache-control', 'private'], ['authorization', 'a'], ['x-forwarded-for', 'b'], ['content-length', '3']];
  expect(endToEnd(list)).toEqual(list.slice(1));
});

test('isHopByHop', () => {
  expect(isHopByHop('te')).toBe(true);
  expect(isHopByHop('etag')).toBe(false);
});
