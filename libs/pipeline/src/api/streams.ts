/** Numbers from `first` to `last`, both included. */
export interface SequenceRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Messages of a sender's stream (`docs/reference/protocol.md`, Acknowledgements). Streams of two senders never have the same
 * name:
 * `<Origin.sender>/<name that the sender gave>`.
 */
export interface StreamRange extends SequenceRange {
  readonly stream: string;
}

/**
 * What a queue knows of senders' streams. Only a queue that stores it in one step with the messages themselves may
 * offer
 * it: a message is durable if, and only if, it is in a durable stretch, whatever ends the process (`docs/explanation/adr/0008`).
 */
export interface DurableRanges {
  /**
   * Durable stretches of a stream, rising, with a gap between each two; `undefined` when that cannot be told now. Asked
   * only while nothing of the stream is on its way.
   */
  durable(stream: string): Promise<readonly SequenceRange[] | undefined>;
}

/**
 * Sees to it that one connection of the gateway at a time takes messages of a stream, over all its data plane processes:
 * what an older connection brought is durable or dropped before a newer one asks what is durable.
 */
export interface StreamClaims {
  /**
   * Asks for a stream. `granted` is called once and synchronously with the grant's arrival, as another process may ask
   * for the stream right after: with what the other processes hold durable, or `undefined` when that cannot be told now.
   */
  claim(stream: string, granted: (durable: readonly SequenceRange[] | undefined) => void): void;
  /**
   * Serves claims of other processes. `release` ends the connection that has the stream here, waits until nothing of it
   * is on its way, and tells what is durable here, as `DurableRanges.durable`. It serves as long as the process lives:
   * also a source that has stopped has to tell what its queue holds durable.
   */
  serve(release: (stream: string) => Promise<readonly SequenceRange[] | undefined>): void;
}
