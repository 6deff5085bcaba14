import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { chooseCoding, codedTag, heldTag, plainTags } from './content-coding.ts';

describe('the coding of an answer (RFC 9110 §12.5.3)', () => {
  test.each([
    [null, 'identity'], ['', 'identity'], ['br', 'br'], ['gzip, br', 'br'], ['gzip;q=1.0, br;q=0.9', 'gzip'], ['*', 'br'], ['*;q=0', 'identity'], ['br;q=0, *;q=0.1', 'gzip'],
    ['compress', 'identity'], ['X-GZIP', 'gzip'], ['gzip;q=', 'identity'], ['gzip ; q=0.5 , identity;q=0.4', 'gzip'], ['gzip;q=0.5, identity', 'identity'], ['identity;q=0', 'identity'],
    ['gzip;q=-1', 'identity'], ['gzip;q=5, br;q=1', 'br'], [',,gzip,,', 'gzip'],
  ])('%p: %s', (field, coding) => { expect(chooseCoding<string>(field, ['br', 'gzip'])).toBe(coding); });

  test('without codings there is nothing to choose', () => { expect(chooseCoding('br', [])).toBe('identity'); });

  test('whatever is sent: one that there is and that is named or covered by *, never one with weight 0', () => {
    const member = fc.tuple(fc.constantFrom('br', 'gzip', 'zstd', '*', 'identity', 'x'), fc.constantFrom('', ';q=0', ';q=0.5', ';q=1', ';q=0.000', '; q=0.3', ';q=bad')).map((parts) => parts.join(''));
    fc.assert(fc.property(fc.array(member, { maxLength: 6 }), (members) => {
      const chosen = chooseCoding(members.join(', '), ['br', 'gzip', 'zstd']);
      if (chosen === 'identity') return;
      expect(members.some((part) => part.startsWith(chosen) || part.startsWith('*'))).toBe(true);
      expect(members.filter((part) => part.startsWith(chosen)).every((part) => /;\s*q=(?:0(?:\.0+)?|bad)$/.test(part)) && members.some((part) => part.startsWith(chosen))).toBe(false);
    }), { seed: 11, numRuns: 500 });
  });
});

describe('tags', () => {
  test('of a coding are told from the plain one, and lead back to it', () => {
    expect([codedTag('"a"', 'br'), codedTag('W/"a"', 'gzip'), codedTag('unquoted', 'br')]).toEqual(['"a~fs-br"', 'W/"a~fs-gzip"', 'unquoted']);
    expect(plainTags('"a~fs-br", W/"b~fs-gzip", "c", "d~fs-"')).toBe('"a", W/"b", "c", "d~fs-"');
    fc.assert(fc.property(fc.stringMatching(/^[!#-~]{0,20}$/), fc.constantFrom('br', 'gzip', 'zstd'), (opaque, coding) => {
      const tag = `"${opaque}"`;
      if (!opaque.includes('~fs-')) expect(plainTags(codedTag(tag, coding))).toBe(tag);
    }), { seed: 12, numRuns: 300 });
  });

  test('the one a client holds is found in its list', () => {
    expect(heldTag('"x", "a~fs-br", "a"', '"a"')).toBe('"a~fs-br"');
    expect([heldTag('"x"', '"a"'), heldTag(null, '"a"'), heldTag('*', '"a"'), heldTag('"a"', undefined)]).toEqual([undefined, undefined, undefined, undefined]);
  });
});
