/**
 * Keeps package-lock.json whole: npm may leave out optional packages for other platforms when it writes the lock, and then
 * `npm ci` of npm 11 refuses it ("Missing: … from lock file"). `bun tools/lock.ts` adds what is missing, with the platform that the
 * package's name tells; the check of the catalogues finds a lock that needs it.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readText, root } from './sources.ts';

export interface LockEntry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly cpu?: readonly string[];
  readonly os?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

/** Optional packages that others in the lock name and that have no entry of their own. */
export function missingEntries(packages: Readonly<Record<string, LockEntry>>): Readonly<Record<string, LockEntry>> {
  const missing: Record<string, LockEntry> = {};
  for (const entry of Object.values(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const key = `node_modules/${name}`;
      // Only exact versions can be added without asking anybody; platform packages are always exact.
      if (key in packages || !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)) continue;
      missing[key] = { version, ...platformOf(name), ...(entry.dev === true ? { dev: true } : {}), optional: true };
    }
  }
  return missing;
}

const cpus = ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el'];

function platformOf(name: string): LockEntry {
  const parts = name.replace(/^.*\//, '').split('-');
  const os = ['linux', 'darwin', 'win32', 'freebsd', 'android', 'openharmony'].find((known) => parts.includes(known));
  const cpu = cpus.find((known) => parts.includes(known));
  const libc = parts.some((part) => part.startsWith('musl')) ? ['musl'] : parts.includes('gnu') && os === 'linux' ? ['glibc'] : undefined;
  return { ...(cpu === undefined ? {} : { cpu: [cpu] }), ...(libc && os === 'linux' ? { libc } : {}), ...(os === undefined ? {} : { os: [os] }) };
}

export function readLock(): Lock {
  return JSON.parse(readText('package-lock.json')) as Lock; // npm's own format
}

if (import.meta.main) {
  const lock = readLock();
  const missing = missingEntries(lock.packages);
  const packages = Object.fromEntries(Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(join(root, 'package-lock.json'), `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
  console.log(`${Object.keys(missing).length} entries added`);
}
