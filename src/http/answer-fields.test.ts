/** The three fields we add to answers, each held against a Structured Fields parser that is not ours. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseDictionary, parseList } from 'structured-headers';
import { appendMember, cacheStatusMember } from './cache-status.ts';
import { buildForeshadowField, parseForeshadowField } from './foreshadow-field.ts';
import { proxyStatusMember } from './proxy-status.ts';

describe('Cache-Status', () => {
  test('as RFC 9211 writes it', () => {
    expect(cacheStatusMember({ kind: 'hit', ttlS: -73, detail: 'shadow-v42' })).toBe('foreshadow; hit; ttl=-73; detail=shadow-v42');
    expect(cacheStatusMember({ kind: 'forwarded', reason: 'miss', status: 200 })).toBe('foreshadow; fwd=miss; fwd-status=200');
    expect(cacheStatusMember({ kind: 'forwarded', reason: 'stale', status: 304, stored: true, collapsed: true })).toBe('foreshadow; fwd=stale; fwd-status=304; stored; collapsed');
    expect(cacheStatusMember({ kind: 'forwarded', reason: 'bypass', detail: 'a "b"' })).toBe('foreshadow; fwd=bypass; detail="a \\"b\\""');
  });
  test('joins what caches behind us said', () => {
    const value = appendMember('inner; hit', cacheStatusMember({ kind: 'hit', ttlS: 1 }));
    expect(parseList(value).map(([name]) => String(name))).toEqual(['inner', 'foreshadow']);
    expect(appendMember(null, 'x')).toBe('x');
  });
});

test('Proxy-Status', () => {
  expect(proxyStatusMember({ error: 'connection_refused' })).toBe('foreshadow; error=connection_refused');
  expect(proxyStatusMember({ receivedStatus: 503, details: 'tired' })).toBe('foreshadow; received-status=503; details="tired"');
  expect(parseList(proxyStatusMember({ error: 'http_response_timeout', details: 'é\n"' }))).toHaveLength(1);
});

describe('Foreshadow', () => {
  test('as the contract writes it', () => {
    expect(buildForeshadowField({ source: 'shadow', reason: 'origin-down', version: 42, region: 'eu-west', ageS: 73, variation: 'device=mobile,language=de' }))
      .toBe('source=shadow; reason=origin-down; version=42; region=eu-west; age=73; variation="device=mobile,language=de"');
    expect(buildForeshadowField({ source: 'origin', reason: 'origin-well', variation: '' })).toBe('source=origin; reason=origin-well');
  });

  test('is a dictionary and comes back as it went in', () => {
    const word = fc.stringMatching(/^[a-z][a-z-]{0,9}$/);
    const printable = fc.stringMatching(/^[ab1 ,;="\\]{1,10}$/);
    const field = fc.record(
      { source: word, reason: word, version: fc.nat(), region: printable, ageS: fc.nat(), variation: printable },
      { requiredKeys: ['source', 'reason'], noNullPrototype: true },
    );
    fc.assert(fc.property(field, (given) => {
      const value = buildForeshadowField(given);
      expect([...parseDictionary(value).keys()]).toEqual(['source']);
      expect(parseForeshadowField(value)).toEqual(given);
    }), { numRuns: 500 });
  });

  test.each([null, '', 'nonsense(', 'source=a', 'reason=b', 'source=1; reason=b'])('%p is not ours', (value) => {
    expect(parseForeshadowField(value)).toBeUndefined();
  });
});
