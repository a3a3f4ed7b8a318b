/** Digits of an event's number: enough for a year of flooding. */
const DIGITS = 12;
const SECONDS_TO_MILLIS = -5;

/**
 * Makes file events of one agent, numbered from 0 in their path, as bytes: a number is written into a copy of one line, so
 * that the sender costs little beside the gateway.
 */
export class EventLines {
  readonly #good: Buffer;
  readonly #bad: Buffer;
  readonly #digitsAt: number;
  #next = 0;

  /**
   * @param badEvery every so many-th event has a time that no parser takes, and has to become a dead letter; 0 = none
   */
  constructor(
    readonly name: string,
    private readonly badEvery: number,
  ) {
    const time = new Date().toISOString();
    const [good, bad] = [lineOf(name, time), lineOf(name, `${time.slice(0, SECONDS_TO_MILLIS)}.none`)];
    this.#digitsAt = good.indexOf(`${'0'.repeat(DIGITS)}.docx`);
    this.#good = Buffer.from(good);
    this.#bad = Buffer.from(bad);
  }

  /** Size of a line with its end, bytes. */
  get lineBytes(): number {
    return this.#good.length;
  }

  /** Events made so far. */
  get made(): number {
    return this.#next;
  }

  /** How many of them are bad. */
  get bad(): number {
    return this.badEvery === 0 ? 0 : Math.ceil(this.#next / this.badEvery);
  }

  /** The next `count` events. */
  take(count: number): Buffer {
    const size = this.lineBytes;
    const bytes = Buffer.allocUnsafe(count * size);
    for (let i = 0; i < count; i += 1, this.#next += 1) {
      const bad = this.badEvery > 0 && this.#next % this.badEvery === 0;
      (bad ? this.#bad : this.#good).copy(bytes, i * size);
      bytes.write(String(this.#next).padStart(DIGITS, '0'), i * size + this.#digitsAt, 'latin1');
    }
    return bytes;
  }
}

/** About 400 bytes, as file servers send them; names are ASCII, so that places in the text are places in the bytes. */
function lineOf(name: string, time: string): string {
  const event = {
    TimeLogged: time,
    ActivityType: 'FileSystem',
    AgentHost: name,
    Host: name,
    Operation: 'Read',
    ObjectType: 'File',
    Path: `D:\\Projects\\${name}\\${'0'.repeat(DIGITS)}.docx`,
    FileSize: 410_939,
    BytesTransferred: 224_407,
    UserName: 'CORP\\xin.fischer385',
    UserSid: 'S-1-5-21-1004336348-1177238915-682003330-1485',
    ClientIP: '10.5.105.76',
    Protocol: 'CIFS',
    ProtocolVersion: '3.1.1',
    ShareName: 'Projects',
    Success: true,
  };
  return `${JSON.stringify(event)}\n`;
}
