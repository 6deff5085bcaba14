import { expect, test } from 'bun:test';
import { listMembers } from './list.ts';

test.each([
  ['', []], [',, ,', []], ['a', ['a']], [' a , b,c ', ['a', 'b', 'c']], ['a="b,c", d', ['a="b,c"', 'd']], ['a="b\\",c", d', ['a="b\\",c"', 'd']],
  ['a\\,b', ['a\\', 'b']], ['"open, b', ['"open', 'b']], ['a="b, c", d="e, f', ['a="b, c"', 'd="e', 'f']], ['"open\\', ['"open\\']], ['a,"', ['a', '"']],
])('%p', (value, members) => {
  expect(listMembers(value)).toEqual(members);
});
