/** Whether a TCP connection to the origin comes about in time. Nothing is sent over it. */
import { connect } from 'node:net';

/** Resolves to true when connected within `withinMs`, to false on refusal, failure or time-out. */
export function probeConnection(originUrl: string, withinMs: number): Promise<boolean> {
  const { hostname, port, protocol } = new URL(originUrl);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (protocol === 'https:' ? 443 : 80) });
    const finish = (connected: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(connected);
    };
    const timer = setTimeout(() => { finish(false); }, withinMs);
    socket.once('connect', () => { finish(true); });
    socket.once('error', () => { finish(false); });
  });
}
