/** Where an agent goes on in its stream. */
export interface StreamStart {
  /** Name that the agent gave its stream. */
  readonly name: string;
  /** Number of the first message that follows. */
  readonly sequence: number;
}

/** What a Hello asks for. */
export interface Hello {
  /** Whether the agent requests acknowledgements. */
  readonly ack: boolean;
  /** Whether the Hello has to be answered: it asks for resent messages to be recognised, rightly or not. */
  readonly answer: boolean;
  /** Set when it names its stream in the form that the protocol gives. */
  readonly start?: StreamStart;
}

const NAME = /^[A-Za-z0-9_-]{16,64}$/;
/** Numbers stay exact with any count of messages that a connection can carry added. */
const MAX_SEQUENCE = 2 ** 52;

/** Reads a Hello (`docs/reference/protocol.md`, Acknowledgements). Unknown keys are allowed. */
export function readHello(value: Readonly<Record<string, unknown>>): Hello {
  const { Ack, Stream: name, Sequence: sequence } = value;
  const ack = Ack === true;
  const answer = ack && name !== undefined;
  const named = typeof name === 'string' && NAME.test(name);
  if (!ack || !named || !isSequence(sequence)) return { ack, answer };
  return { ack, answer, start: { name, sequence } };
}

function isSequence(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_SEQUENCE;
}
