import { expect, test } from 'bun:test';
import { headerReader, type HeaderList } from './headers.ts';
import { invalidatedTargets, isUnsafe } from './invalidate.ts';

test.each([['GET', false], ['HEAD', false], ['OPTIONS', false], ['TRACE', false], ['POST', true], ['PUT', true], ['DELETE', true], ['PATCH', true], ['M-SEARCH', true]])('%p is unsafe: %p', (method, unsafe) => {
  expect(isUnsafe(method)).toBe(unsafe);
});

test.each<[string, string, number, HeaderList, string[]]>([
  ['its target', 'POST', 200, [], ['/a/b?c=d']],
  ['also when redirected', 'PUT', 303, [], ['/a/b?c=d']],
  ['not after an error', 'POST', 500, [], []],
  ['not after a refusal', 'DELETE', 404, [], []],
  ['not after a bad request', 'PUT', 400, [], []],
  ['not for GET', 'GET', 200, [['location', '/x']], []],
  ['Location and Content-Location', 'POST', 201, [['location', '/x?y=1#z'], ['content-location', 'http://shop.example/z']], ['/a/b?c=d', '/x?y=1', '/z']],
  ['relative to the target', 'POST', 201, [['location', 'x']], ['/a/b?c=d', '/a/x']],
  ['its own target once', 'POST', 200, [['content-location', '']], ['/a/b?c=d']],
  ['another host', 'POST', 201, [['location', 'http://other.example/x']], ['/a/b?c=d']],
  ['another scheme', 'POST', 201, [['location', 'https://shop.example/x']], ['/a/b?c=d']],
  ['another port', 'POST', 201, [['location', 'http://shop.example:81/x']], ['/a/b?c=d']],
  ['no URL', 'POST', 201, [['location', 'http://']], ['/a/b?c=d']],
])('forgets %s', (_name, method, status, response, targets) => {
  expect(invalidatedTargets(method, status, 'http', 'shop.example', '/a/b?c=d', headerReader(response))).toEqual(targets);
});
