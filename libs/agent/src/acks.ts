import { GatewayError } from '@activity-gateway/pipeline/api';
import { LineFramer } from '@activity-gateway/pipeline/helpers';

/** What an agent says first on a connection whose messages it wants to have acknowledged. */
export interface Hello {
  readonly agentHost: string;
  /** Name of the stream, 16 to 64 of `A-Z a-z 0-9 _ -`, never used for other messages. */
  readonly stream: string;
  /** Number, in the stream, of the first message that follows. */
  readonly sequence: number;
}

/** What the gateway says about a connection's messages. */
export interface Ack {
  /** So many of them, from the first one on, are durable. */
  readonly messages: number;
  /** All messages of the stream up to this number are durable; only where the gateway recognises resent ones. */
  readonly sequence: number | undefined;
  /** Name of the gateway; in the answer to the Hello of a gateway that tells it. */
  readonly gateway: string | undefined;
}

/** Longest line that a gateway sends, bytes. */
const MAX_LINE_BYTES = 64 * 1024;

/** The first line of a connection, with its LF (`docs/reference/protocol.md`, Acknowledgements). */
export function helloLine({ agentHost, stream, sequence }: Hello): string {
  const message = {
    MessageType: 'Hello',
    Ack: true,
    AgentHost: agentHost,
    Stream: stream,
    Sequence: sequence,
  };
  return `${JSON.stringify(message)}\n`;
}

/** Reads what a gateway sends on a connection with Acks. */
export class AckReader {
  readonly #framer = new LineFramer(MAX_LINE_BYTES);
  #messages = 0;

  /**
   * Takes the next bytes and gives the Acks that end in them. Messages of other types are for later versions.
   * @param sent messages sent so far
   * @throws GatewayError `AGENT_ACK_INVALID`: a gateway that counts wrongly cannot be relied on
   */
  push(chunk: Buffer, sent: number): Ack[] {
    const acks: Ack[] = [];
    for (const line of this.#framer.push(chunk)) {
      const ack = parseAck(line.toString('utf8'));
      if (ack === undefined) continue;
      if (!(ack.messages >= this.#messages && ack.messages <= sent)) throw invalid();
      this.#messages = ack.messages;
      acks.push(ack);
    }
    if (this.#framer.overflowed) throw invalid();
    return acks;
  }
}

function parseAck(line: string): Ack | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw invalid();
  }
  if (typeof value !== 'object' || value === null) throw invalid();
  const { MessageType, Messages, Sequence, Gateway } = value as Partial<Record<string, unknown>>;
  if (MessageType !== 'Ack') return undefined;
  if (!isCount(Messages) || !(Sequence === undefined || isCount(Sequence))) throw invalid();
  if (Gateway !== undefined && typeof Gateway !== 'string') throw invalid();
  return { messages: Messages, sequence: Sequence, gateway: Gateway };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function invalid(): GatewayError {
  return new GatewayError(
    'AGENT_ACK_INVALID',
    'The gateway sent an acknowledgement that does not fit what was sent.',
    'Check that agent and gateway have the same version.',
  );
}
