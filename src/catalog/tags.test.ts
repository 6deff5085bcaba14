import { expect, test } from 'bun:test';
import { tagsMax, tagsOf } from './tags.ts';

test('tags are words of three fields, bounded, and an invalid field is none', () => {
  expect(tagsOf([['surrogate-key', ' home  news '], ['cache-tag', 'a b, c,,home'], ['cache-groups', '"eshop", "a;b";x=1, token'], ['etag', '"x"']])).toEqual(['home', 'news', 'a b', 'c', 'eshop', 'a;b']);
  expect(tagsOf([['cache-groups', '"unfinished'], ['surrogate-key', `${'x'.repeat(300)} y`]])).toEqual(['y']);
  expect(tagsOf([['surrogate-key', Array.from({ length: 1000 }, (_, index) => `t${index}`).join(' ')]])).toHaveLength(tagsMax);
});
