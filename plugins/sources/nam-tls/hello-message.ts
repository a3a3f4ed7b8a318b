/** What a Hello asks for. */
export interface Hello {
  /** Whether the agent wants to be told how far its messages are durable. */
  readonly ack: boolean;
}

/** Reads a Hello (`docs/PROTOCOL.md`, Acknowledgements). Unknown keys are allowed. */
export function readHello(value: Readonly<Record<string, unknown>>): Hello {
  return { ack: value['Ack'] === true };
}
