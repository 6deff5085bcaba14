/**
 * nginx as its manual sets it up to survive origin failures: serve stale on errors and while updating, one request a key
 * at a time, refresh in the background, connections to the origin kept alive. Also a plain file-less origin for the speed suites.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Program, accepts, until } from '../machine/program.ts';
import { firstLine } from './peer.ts';
import type { Peer, PeerSetup } from './peer.ts';

function main(folder: string, connections: number, http: string): string {
  return `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections ${connections}; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_requests 100000000;
  tcp_nodelay on;
${http}
}
`;
}

async function run(setup: PeerSetup, configuration: string): Promise<Program> {
  mkdirSync(setup.folder, { recursive: true });
  const file = join(setup.folder, 'nginx.conf');
  writeFileSync(file, configuration);
  const program = Program.start({
    command: ['nginx', '-p', setup.folder, '-c', file],
    logFile: join(setup.folder, 'output.log'),
    ...(setup.cores === undefined ? {} : { cores: setup.cores }),
  });
  await until('nginx to listen', () => accepts(setup.port));
  return program;
}

export const nginx: Peer = {
  name: 'nginx',
  version: () => firstLine(['nginx', '-v'])?.replace('nginx version: ', ''),
  start: (setup) => run(setup, main(setup.folder, 16_384, `
  map $http_user_agent $device { default desktop; ~*mobile mobile; }
  proxy_cache_path ${setup.folder}/cache levels=1:2 keys_zone=shadows:64m max_size=8g inactive=24h use_temp_path=off;
  upstream origin { server 127.0.0.1:${setup.originPort}; keepalive 64; }
  server {
    listen 127.0.0.1:${setup.port} backlog=4096 reuseport;
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_read_timeout 5s;
      proxy_cache shadows;
      proxy_cache_key "$request_uri|$device|$cookie_segment";
      proxy_ignore_headers Vary;
      proxy_cache_use_stale error timeout http_500 http_502 http_503 http_504 updating;
      proxy_cache_lock on;
      proxy_cache_background_update on;
    }
    location /uncached/ {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
    }
  }`)),
};

/** An origin that is never the bottleneck: fixed bodies from memory, cacheable below /cached/, not below /uncached/. */
export function startFastOrigin(setup: Omit<PeerSetup, 'originPort' | 'variations'>, bodyBytes: readonly number[]): Promise<Program> {
  mkdirSync(join(setup.folder, 'files'), { recursive: true });
  for (const bytes of bodyBytes) writeFileSync(join(setup.folder, 'files', String(bytes)), 'x'.repeat(bytes));
  return run({ ...setup, originPort: 0, variations: false }, main(setup.folder, 4096, `
  open_file_cache max=100 inactive=1h;
  default_type text/html;
  server {
    listen 127.0.0.1:${setup.port} backlog=4096;
    etag off;
    location /healthz { return 200 ok; }
    location /cached/ { alias ${setup.folder}/files/; add_header Cache-Control "public, max-age=3600"; add_header Vary "User-Agent, Cookie"; }
    location /uncached/ { alias ${setup.folder}/files/; add_header Cache-Control "no-store"; }
  }`));
}
