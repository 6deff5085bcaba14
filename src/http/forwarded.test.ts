import { describe, expect, test } from 'bun:test';
import { appendCdnLoop, appendVia, clientAddress, compileTrustedProxies, forwardingFields, loopCount, plainAddress } from './forwarded.ts';

test('Via and CDN-Loop are appended to', () => {
  expect(appendVia(null, '1.1', 'foreshadow')).toBe('1.1 foreshadow');
  expect(appendVia('1.0 fred', '2', 'foreshadow')).toBe('1.0 fred, 2 foreshadow');
  expect(appendCdnLoop('other; a=b', 'foreshadow', 'shop')).toBe('other; a=b, foreshadow; site=shop');
  expect(appendCdnLoop('', 'foreshadow', 'shop')).toBe('foreshadow; site=shop');
});

test.each([[null, 0], ['other', 0], ['me', 1], ['other, me; v=1 , me', 2], ['meme', 0], ['x; me', 0]])('%p has been through us %p times', (cdnLoop, count) => {
  expect(loopCount(cdnLoop, 'me', 'shop')).toBe(count);
});

describe('trusted proxies', () => {
  const trusted = compileTrustedProxies(['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '::1']);
  test.each([
    ['10.1.2.3', true], ['11.1.2.3', false], ['192.0.2.7', true], ['192.0.2.8', false], ['::ffff:10.0.0.1', true], ['fd12::1', true], ['::1', true], ['fe80::1', false], ['x', false],
  ])('%p: %p', (address, expected) => {
    expect(trusted(address)).toBe(expected);
  });
  test('a bad entry is named', () => {
    expect(() => compileTrustedProxies(['10.0.0.0/8', '10.0.0.0/99'])).toThrow('"10.0.0.0/99" is no IP address');
    expect(() => compileTrustedProxies(['proxy.example'])).toThrow('"proxy.example"');
  });
});

describe('clientAddress', () => {
  const trusted = compileTrustedProxies(['10.0.0.0/8']);
  test.each<[string, string, string | null, string | null, string]>([
    ['an untrusted peer is the client', '198.51.100.1', null, '203.0.113.9', '198.51.100.1'],
    ['a trusted peer names it', '10.0.0.1', null, '203.0.113.9', '203.0.113.9'],
    ['the right-most untrusted', '10.0.0.1', null, '1.1.1.1, 203.0.113.9, 10.0.0.2', '203.0.113.9'],
    ['all trusted: the left-most', '10.0.0.1', null, '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['an unreadable hop ends the search', '10.0.0.1', null, '203.0.113.9, unknown, 10.0.0.2', '10.0.0.2'],
    ['nothing said', '10.0.0.1', null, null, '10.0.0.1'],
    ['Forwarded goes first', '10.0.0.1', 'for=203.0.113.9;proto=https', '1.1.1.1', '203.0.113.9'],
    ['Forwarded with IPv6 and port', '10.0.0.1', 'for=1.1.1.1, For="[2001:db8::1]:4711";by=x', null, '2001:db8::1'],
    ['a comma in a quoted host', '10.0.0.1', 'for=203.0.113.9;host="a,b"', null, '203.0.113.9'],
    ['an element without for ends the search', '10.0.0.1', 'for=203.0.113.9, proto=http', null, '10.0.0.1'],
    ['mapped IPv4', '::ffff:10.0.0.1', null, '::ffff:203.0.113.9', '203.0.113.9'],
  ])('%s', (_name, peer, forwarded, xForwardedFor, expected) => {
    expect(clientAddress(peer, { forwarded, xForwardedFor }, trusted)).toBe(expected);
  });
});

test.each([['1.2.3.4:80', '1.2.3.4'], ['[::1]:80', '::1'], ['[::1]', '::1'], ['::ffff:1.2.3.4', '1.2.3.4'], ['_hidden', undefined], ['', undefined]])('plainAddress %p', (text, expected) => {
  expect(plainAddress(text)).toBe(expected);
});

describe('forwardingFields', () => {
  const received = { forwarded: 'for=203.0.113.9', xForwardedFor: '203.0.113.9', xForwardedProto: 'https', xForwardedHost: 'shop.example' };
  test('a stranger\'s word is replaced', () => {
    expect(forwardingFields('198.51.100.1', 'http', 'h.example:8080', received, false)).toEqual({
      xForwardedFor: '198.51.100.1', xForwardedProto: 'http', xForwardedHost: 'h.example:8080', forwarded: 'for=198.51.100.1;host="h.example:8080";proto=http',
    });
  });
  test('a trusted proxy\'s word is continued', () => {
    expect(forwardingFields('2001:db8::1', 'http', 'h', received, true)).toEqual({
      xForwardedFor: '203.0.113.9, 2001:db8::1', xForwardedProto: 'https', xForwardedHost: 'shop.example',
      forwarded: 'for=203.0.113.9, for="[2001:db8::1]";host="h";proto=http',
    });
  });
});
