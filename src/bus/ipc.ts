/**
 * The line between `up` and the brain process it started: `BusEnd` over the runtime's child-process channel.
 * What crosses: messages, acknowledgements of every 16th message (so that a stuck reader costs the sender a bounded
 * queue, never its memory), and configurations. The parent's first word is always `config`; it comes again after a reload.
 * Contents are trusted: both ends are the same program. Losing the parent is for the child the end of its work.
 */
import { messageOf, type Log } from '../kernel/index.ts';
import type { BusEnd } from './channel.ts';

/** Messages sent and not acknowledged, beyond which further ones are dropped. */
export const unacknowledgedMax = 1024;
/** Messages kept for a receiver that has not been set yet. */
export const waitingMax = 1024;
const acknowledgeEvery = 16;

interface MessageFrame {
  readonly type: 'message';
  readonly message: unknown;
}
interface AcknowledgeFrame {
  readonly type: 'acknowledge';
  readonly count: number;
}
interface ConfigFrame {
  readonly type: 'config';
  readonly config: unknown;
}
export type Frame = MessageFrame | AcknowledgeFrame | ConfigFrame;

function isFrame(value: unknown): value is Frame {
  return typeof value === 'object' && value !== null && 'type' in value
    && (value.type === 'message' || value.type === 'acknowledge' || value.type === 'config');
}

/** One end, whatever carries its frames. The carrier calls `accept` for each that arrives, and `lose` once at the end. */
export class IpcEnd<Out, In> implements BusEnd<Out, In> {
  readonly #post: (frame: Frame) => void;
  readonly #onConfig: (config: unknown) => void;
  #unacknowledged = 0;
  #toAcknowledge = 0;
  #dropped = 0;
  #lost = false;
  #waiting: In[] = [];
  #receive: ((message: In) => void) | undefined;
  #onLost: (() => void) | undefined;

  constructor(post: (frame: Frame) => void, onConfig: (config: unknown) => void = () => undefined) {
    this.#post = post;
    this.#onConfig = onConfig;
  }

  get dropped(): number {
    return this.#dropped;
  }

  send(message: Out): void {
    if (this.#unacknowledged >= unacknowledgedMax || !this.#carry({ type: 'message', message })) {
      this.#dropped++;
      return;
    }
    this.#unacknowledged++;
  }

  sendConfig(config: unknown): boolean {
    return this.#carry({ type: 'config', config });
  }

  onMessage(receive: (message: In) => void): void {
    this.#receive = receive;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) receive(message);
  }

  onLost(lost: () => void): void {
    this.#onLost = lost;
    if (this.#lost) lost();
  }

  close(): void {
    this.#lost = true;
    this.#onLost = undefined;
    this.#receive = undefined;
    this.#waiting = [];
  }

  accept(frame: unknown): void {
    if (this.#lost || !isFrame(frame)) return;
    switch (frame.type) {
      case 'acknowledge':
        this.#unacknowledged = Math.max(0, this.#unacknowledged - frame.count);
        return;
      case 'config':
        this.#onConfig(frame.config);
        return;
      case 'message': {
        if (++this.#toAcknowledge >= acknowledgeEvery) {
          this.#carry({ type: 'acknowledge', count: this.#toAcknowledge });
          this.#toAcknowledge = 0;
        }
        const message = frame.message as In; // both ends are the same program (see above)
        if (this.#receive) this.#receive(message);
        else if (this.#waiting.length < waitingMax) this.#waiting.push(message);
        else this.#dropped++;
      }
    }
  }

  lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#onLost?.();
  }

  #carry(frame: Frame): boolean {
    if (this.#lost) return false;
    try {
      this.#post(frame);
      return true;
    } catch {
      return false; // the other end is gone; `lose` follows, and the caller counts the drop
    }
  }
}

export interface ManagedProcess<Out, In> {
  readonly pid: number;
  readonly bus: BusEnd<Out, In>;
  /** Sends the configuration (again, after a reload). False when the process is gone. */
  configure(config: unknown): boolean;
  /** Resolves with the exit code, or with 128 + the signal's number. */
  readonly exited: Promise<number>;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** Parent's side: starts the command with a channel, and sends it the configuration as the first frame. */
export function startManaged<Out, In>(options: {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly config: unknown;
  readonly log: Log;
}): ManagedProcess<Out, In> {
  const end: IpcEnd<Out, In> = new IpcEnd((frame) => { child.send(frame); });
  const child = Bun.spawn([...options.command], {
    env: { ...options.env },
    stdio: ['ignore', 'inherit', 'inherit'],
    serialization: 'advanced',
    ipc: (frame: unknown) => {
      try {
        end.accept(frame);
      } catch (error) {
        options.log.error('bus-receive-failed', { problem: messageOf(error) });
      }
    },
    onDisconnect: () => { end.lose(); },
    onExit: () => { end.lose(); },
  });
  end.sendConfig(options.config);
  return {
    pid: child.pid,
    bus: end,
    configure: (config) => end.sendConfig(config),
    exited: child.exited,
    kill: (signal) => { child.kill(signal); },
  };
}

/** What a child needs of `process`. */
export interface ParentPort {
  send?: ((message: unknown) => boolean) | undefined;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/**
 * Child's side. `onConfig` gets every configuration the parent sends, the first one included. Undefined when the process
 * was not started with a channel.
 */
export function parentEnd<Out, In>(port: ParentPort, onConfig: (config: unknown) => void): BusEnd<Out, In> | undefined {
  if (!port.send) return undefined;
  const end = new IpcEnd<Out, In>((frame) => { port.send?.(frame); }, onConfig);
  port.on('message', (frame) => { end.accept(frame); });
  port.on('disconnect', () => { end.lose(); });
  return end;
}
