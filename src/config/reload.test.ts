import { expect, test } from 'bun:test';
import { loadConfig } from './load.ts';
import { diffForReload } from './reload.ts';
import type { Config } from './types.ts';

function config(text: string): Config {
  const result = loadConfig({ text: `origin: { url: "http://h" }\n${text}`, env: {}, readFile: () => '-----BEGIN CERTIFICATE-----' });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

const cases: readonly { before: string; after: string; changed: string[]; needsRestart: string[] }[] = [
  { before: '', after: '', changed: [], needsRestart: [] },
  { before: '', after: 'freshness: { target: 5m }\nroutes: [ { match: /a } ]', changed: ['routes', 'freshness.target'], needsRestart: [] },
  { before: '', after: 'versions: { keepFor: 2h }\nfeeds: { a: { file: a.json } }', changed: ['feeds.a'], needsRestart: ['versions.keepFor'] },
  { before: '', after: 'dataDir: /elsewhere', changed: [], needsRestart: ['store.volumes.paths', 'dataDir'] },
  { before: '', after: 'regions: [ { name: local, listen: "127.0.0.1:9", at: [1, 2] } ]', changed: ['regions[0].at'], needsRestart: ['regions[0].listen'] },
  { before: '', after: 'regions: [ { name: local, listen: "127.0.0.1:8080" }, { name: b, listen: "127.0.0.1:9" } ]', changed: [], needsRestart: ['regions[1]'] },
  { before: '', after: 'admin: { listen: "127.0.0.1:9" }\nlog: { access: stdout }', changed: ['log.access'], needsRestart: ['admin.listen'] },
  {
    before: 'regions: [ { name: a, listen: "h:1", tls: { cert: c, key: k } } ]', after: 'regions: [ { name: a, listen: "h:1", tls: { cert: d, key: k } } ]',
    changed: [], needsRestart: ['regions[0].tls.cert'],
  },
];

test.each(cases)('from "$before" to "$after"', ({ before, after, changed, needsRestart }) => {
  expect(diffForReload(config(before), config(after))).toEqual({ changed, needsRestart });
});
