import { expect, test } from 'bun:test';
import { missingEntries } from '../../tools/lock.ts';

test('optional packages of other platforms that the lock leaves out are added', () => {
  expect(missingEntries({
    'node_modules/x': { version: '1.0.0', dev: true, optionalDependencies: { '@x/linux-x64-musl': '1.0.0', '@x/darwin-arm64': '1.0.0', '@x/linux-x64': '1.0.0', loose: '^1.0.0' } },
    'node_modules/@x/linux-x64': { version: '1.0.0' },
  })).toEqual({
    'node_modules/@x/linux-x64-musl': { version: '1.0.0', cpu: ['x64'], libc: ['musl'], os: ['linux'], dev: true, optional: true },
    'node_modules/@x/darwin-arm64': { version: '1.0.0', cpu: ['arm64'], os: ['darwin'], dev: true, optional: true },
  });
});
