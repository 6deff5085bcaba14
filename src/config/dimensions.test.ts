import { expect, test } from 'bun:test';
import { varyHeadersOf } from './dimensions.ts';

test('a dimension stands in for the headers it is read from', () => {
  expect(varyHeadersOf({ from: { kind: 'userAgent' } })).toContain('user-agent');
  expect(varyHeadersOf({ from: { kind: 'acceptLanguage' } })).toEqual(['accept-language']);
  expect(varyHeadersOf({ from: { kind: 'cookie', name: 'segment' } })).toEqual(['cookie']);
  expect(varyHeadersOf({ from: { kind: 'header', name: 'x-plan' } })).toEqual(['x-plan']);
});
