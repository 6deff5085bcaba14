/**
 * WebSockets through the edge: the origin is connected first, so that a refusal is a plain HTTP answer; then the visitor is
 * upgraded and messages pass both ways unchanged, in order. A side that can't keep up is closed (1013) once too much waits
 * for it; when one side closes or dies, so does the other.
 */
import type { Server, ServerWebSocket, WebSocketHandler } from 'bun';
import type { Visit } from './visit.ts';

/** Bytes that may wait for a slow side. */
const waitingBytesMax = 16 * 1024 * 1024;
/** Largest single message. */
const messageBytesMax = 16 * 1024 * 1024;
const tryAgainLater = 1013;
const goingAway = 1001;

export interface Bridge {
  readonly upstream: WebSocket;
  /** What the origin sent before the visitor's side was open. */
  early: (string | ArrayBuffer)[] | undefined;
  visitor: ServerWebSocket<Bridge> | undefined;
}

/** Fields of the visitor's handshake; the runtime makes its own for the origin. */
const handshakeFields = ['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-extensions', 'sec-websocket-protocol', 'connection', 'upgrade', 'content-length'] as const;

/** Connects to the origin and then upgrades the visitor. Undefined: done. Else the reason why not. */
export async function bridgeWebSocket(
  visit: Visit, headers: Headers, server: Server<Bridge>, originUrl: string, connectMs: number,
): Promise<'upgraded' | 'refused' | 'timeout' | 'bad-request'> {
  const protocols = visit.get('sec-websocket-protocol')?.split(',').map((name) => name.trim()).filter((name) => name !== '') ?? [];
  for (const name of handshakeFields) headers.delete(name);
  const upstream = new WebSocket(originUrl.replace(/^http/, 'ws') + visit.target, { headers: Object.fromEntries(headers), protocols });
  upstream.binaryType = 'arraybuffer';
  const bridge: Bridge = { upstream, early: [], visitor: undefined };
  upstream.addEventListener('message', ({ data }) => { fromOrigin(bridge, data as string | ArrayBuffer); }); // by binaryType
  const connected = await connect(upstream, connectMs);
  if (connected !== 'open') return connected;
  upstream.addEventListener('close', ({ code, reason }) => { bridge.visitor?.close(sendable(code), reason); });
  const upgraded = server.upgrade(visit.request, {
    data: bridge, ...(upstream.protocol !== '' && { headers: { 'sec-websocket-protocol': upstream.protocol } }),
  });
  if (upgraded) return 'upgraded';
  upstream.close(goingAway);
  return 'bad-request';
}

/** The visitor's side. */
export const visitorSide: WebSocketHandler<Bridge> = {
  maxPayloadLength: messageBytesMax,
  backpressureLimit: waitingBytesMax,
  closeOnBackpressureLimit: true,
  idleTimeout: 0,
  sendPings: true,
  open(visitor) {
    const bridge = visitor.data;
    bridge.visitor = visitor;
    for (const message of bridge.early ?? []) visitor.send(message);
    bridge.early = undefined;
    if (bridge.upstream.readyState > WebSocket.OPEN) visitor.close(goingAway);
  },
  message(visitor, message) {
    const { upstream } = visitor.data;
    if (upstream.bufferedAmount > waitingBytesMax) visitor.close(tryAgainLater, 'the origin can not keep up');
    else upstream.send(message);
  },
  close(visitor, code, reason) {
    visitor.data.upstream.close(sendable(code), reason);
  },
};

function fromOrigin(bridge: Bridge, message: string | ArrayBuffer): void {
  if (bridge.visitor) bridge.visitor.send(message);
  else bridge.early?.push(message);
}

function connect(upstream: WebSocket, withinMs: number): Promise<'open' | 'refused' | 'timeout'> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      upstream.close();
      resolve('timeout');
    }, withinMs);
    const settle = (how: 'open' | 'refused'): void => {
      clearTimeout(timer);
      resolve(how);
    };
    upstream.addEventListener('open', () => { settle('open'); }, { once: true });
    upstream.addEventListener('error', () => { settle('refused'); }, { once: true });
    upstream.addEventListener('close', () => { settle('refused'); }, { once: true });
  });
}

/** Codes that mean "no code was received" can't be sent (RFC 6455 §7.4.1). */
function sendable(code: number): number {
  return code >= 1000 && code < 5000 && code !== 1004 && code !== 1005 && code !== 1006 && code !== 1015 ? code : goingAway;
}
