import { expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import type { AdminToken } from '../config/types.ts';
import { authorize, checkListen, hostAllowed } from './auth.ts';

const tokenOf = (name: string, role: AdminToken['role'], secret: string): AdminToken => ({ name, role, sha256: createHash('sha256').update(secret).digest('hex') });
const tokens = [tokenOf('look', 'viewer', 'see-1'), tokenOf('ops', 'operator', 'do-2')];

test('a token opens what its role may do and no more', () => {
  expect(authorize(tokens, 'Bearer see-1', 'viewer')).toEqual({ ok: true, role: 'viewer', name: 'look' });
  expect(authorize(tokens, 'bearer do-2', 'viewer')).toEqual({ ok: true, role: 'operator', name: 'ops' });
  expect(authorize(tokens, 'Bearer do-2', 'operator')).toMatchObject({ ok: true });
  expect(authorize(tokens, 'Bearer see-1', 'operator')).toMatchObject({ ok: false, status: 403 });
});

test.each([null, '', 'Bearer', 'Bearer ', 'Basic see-1', 'Bearer see-2', 'Bearer see-1 x', `Bearer ${tokens[0]?.sha256}`])('%p opens nothing', (field) => {
  expect(authorize(tokens, field, 'viewer')).toMatchObject({ ok: false, status: 401 });
});

test('without tokens everybody local is the operator, and only loopback names reach it', () => {
  expect(authorize([], null, 'operator')).toMatchObject({ ok: true, role: 'operator' });
  for (const host of ['localhost:8090', '127.0.0.1:8090', '[::1]:8090', 'LOCALHOST', '127.1.2.3']) expect(hostAllowed([], host)).toBe(true);
  for (const host of [null, '', 'evil.example:8090', 'localhost.evil.example', '10.0.0.1', '127.0.0.1.evil.example']) expect(hostAllowed([], host)).toBe(false);
  expect(hostAllowed(tokens, 'admin.shop.example')).toBe(true);
});

test('an API without tokens is not opened to the network', () => {
  expect(() => { checkListen({ hostname: '0.0.0.0', port: 0 }, []); }).toThrow('no admin.tokens');
  expect(() => { checkListen({ hostname: '::', port: 0 }, []); }).toThrow('no admin.tokens');
  checkListen({ hostname: '127.0.0.1', port: 0 }, []);
  checkListen({ hostname: '::1', port: 0 }, []);
  checkListen({ hostname: '0.0.0.0', port: 0 }, tokens);
});
