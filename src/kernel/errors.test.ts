import { expect, test } from 'bun:test';
import { ForeshadowError, messageOf } from './errors.ts';

test('the message of an error is what happened and what to do, thrown or not', () => {
  const error = new ForeshadowError('usage', { source: 'client', message: 'no such command', hint: 'see foreshadow help' });
  expect(error.sentence).toBe('no such command; see foreshadow help');
  expect(messageOf(error)).toBe('no such command; see foreshadow help');
  expect(messageOf(new ForeshadowError('usage', { source: 'client', message: 'no such command' }))).toBe('no such command');
  expect(messageOf(new Error('plain'))).toBe('plain');
  expect(messageOf('text')).toBe('text');
});
