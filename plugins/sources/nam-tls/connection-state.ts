/** Where a connection is between its handshake and its end. */
export type ConnectionState =
  /** TLS is not established. */
  | 'handshake'
  /** The peer has proved a key; its first message is to come. */
  | 'secured'
  /** As `secured`, and the gateway knows that the peer is an agent of the allowlist. */
  | 'identified'
  /** The first message asked for an enrollment, which is not decided. */
  | 'enrolling'
  /** The first message named a stream, which is not granted. */
  | 'resuming'
  /** The first message of an agent has come; what follows is events. */
  | 'streaming'
  /** This side has ended the stream, and still takes what the peer sends. */
  | 'lingering'
  /** This side reads no more; what has arrived is taken. */
  | 'closing'
  /** As `closing`, but no message is taken: the stream was not granted, so their numbers are unknown. */
  | 'refused';

/** What moves a connection from one state to another. */
export type ConnectionEvent =
  'secure' | 'identify' | 'enroll' | 'resume' | 'stream' | 'linger' | 'linger_over' | 'close';

const TRANSITIONS: Readonly<
  Record<ConnectionState, Readonly<Partial<Record<ConnectionEvent, ConnectionState>>>>
> = {
  handshake: { secure: 'secured', close: 'closing' },
  secured: { identify: 'identified', enroll: 'enrolling', close: 'closing' },
  identified: {
    enroll: 'enrolling',
    resume: 'resuming',
    stream: 'streaming',
    linger: 'lingering',
    close: 'closing',
  },
  enrolling: { close: 'closing' },
  resuming: { stream: 'streaming', close: 'refused' },
  streaming: { linger: 'lingering', close: 'closing' },
  // Only the peer's end or the time limit is its end: what the peer has written is not lost to a second reason.
  lingering: { linger_over: 'closing' },
  closing: {},
  refused: {},
};

/** The state that an event leads to; `undefined` when it does not move a connection of this state. */
export function nextState(state: ConnectionState, event: ConnectionEvent): ConnectionState | undefined {
  return TRANSITIONS[state][event];
}

/** Whether the connection is being ended. */
export function isEnding(state: ConnectionState): boolean {
  return state === 'lingering' || state === 'closing' || state === 'refused';
}
