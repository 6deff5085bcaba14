/**
 * One end of the line between an edge and a brain. Sending never blocks and never throws: a message that can't be
 * delivered is dropped and counted, because the next of its kind carries newer truth.
 */
export interface BusEnd<Out, In> {
  send(message: Out): void;
  /** One receiver; messages that came before it was set are kept, up to a bound. */
  onMessage(receive: (message: In) => void): void;
  /** Called once when the other end is gone. */
  onLost(lost: () => void): void;
  readonly dropped: number;
  close(): void;
}
