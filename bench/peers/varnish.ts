/**
 * Varnish as its manual sets it up to survive origin failures: a day of grace, a probe every second, a failing background
 * fetch never replaces what is there. Keyed by path, device class and segment; the cookie it goes by is passed on.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Program, accepts, until } from '../machine/program.ts';
import { firstLine } from './peer.ts';
import type { Peer } from './peer.ts';

function vcl(originPort: number): string {
  return `vcl 4.1;
backend default {
  .host = "127.0.0.1";
  .port = "${originPort}";
  .first_byte_timeout = 5s;
  .between_bytes_timeout = 5s;
  .probe = { .url = "/healthz"; .interval = 1s; .timeout = 1s; .window = 4; .threshold = 2; .initial = 2; }
}
sub vcl_recv {
  if (req.http.User-Agent ~ "(?i)mobile") { set req.http.X-Device = "mobile"; } else { set req.http.X-Device = "desktop"; }
  set req.http.X-Segment = regsub(req.http.Cookie, "^(?:.*;\\s*)?segment=([a-z]+).*$", "\\1");
  if (req.url ~ "^/uncached/") { return (pass); }
  set req.http.Cookie = "segment=" + req.http.X-Segment;
  return (hash);
}
sub vcl_hash {
  hash_data(req.url);
  hash_data(req.http.X-Device);
  hash_data(req.http.X-Segment);
  return (lookup);
}
sub vcl_backend_response {
  unset beresp.http.Vary;
  if (beresp.status >= 500 && bereq.is_bgfetch) { return (abandon); }
  set beresp.grace = 24h;
}
`;
}

export const varnish: Peer = {
  name: 'varnish',
  version: () => firstLine(['varnishd', '-V']),
  async start(setup) {
    mkdirSync(setup.folder, { recursive: true });
    const file = join(setup.folder, 'default.vcl');
    writeFileSync(file, vcl(setup.originPort));
    const program = Program.start({
      command: [
        'varnishd', '-F', '-j', 'none', '-n', join(setup.folder, 'work'), '-a', `127.0.0.1:${setup.port}`, '-f', file,
        '-s', 'malloc,2g', '-p', 'timeout_idle=600', '-p', 'thread_pools=1', '-p', 'thread_pool_max=3000',
      ],
      logFile: join(setup.folder, 'output.log'),
      ...(setup.cores === undefined ? {} : { cores: setup.cores }),
    });
    await until('Varnish to listen', () => accepts(setup.port), 30_000);
    return program;
  },
};
