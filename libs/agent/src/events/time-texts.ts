import type { Random } from './random.js';

const MAX_CACHED = 256;
const PAD3 = Array.from({ length: 1000 }, (_, value) => String(value).padStart(3, '0'));
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** Writes times the ways that senders do. Keeps the text of recent seconds: making one is the dearest part of an event. */
export class TimeTexts {
  readonly #seconds = new Map<number, string>();

  /** `2026-11-20T09:15:02`, UTC without a mark. */
  second(at: number): string {
    const second = Math.floor(at / 1000);
    let text = this.#seconds.get(second);
    if (text === undefined) {
      text = new Date(second * 1000).toISOString().slice(0, 19);
      if (this.#seconds.size >= MAX_CACHED) this.#seconds.clear();
      this.#seconds.set(second, text);
    }
    return text;
  }

  /** Three digits: the milliseconds. */
  millis(at: number): string {
    return PAD3[at % 1000] as string;
  }

  /** `2026-11-20T09:15:02.187Z`. */
  iso(at: number): string {
    return `${this.second(at)}.${this.millis(at)}Z`;
  }

  /** Mostly as `iso`; now and then without Z, with 0, 1 or 7 digits, or with an offset. All the same instant or nearly. */
  untidy(random: Random, at: number): string {
    switch (random.int(40)) {
      case 0:
        return `${this.second(at)}.${this.millis(at)}`;
      case 1:
        return `${this.second(at)}Z`;
      case 2:
        return `${this.second(at)}.${this.millis(at)}4711Z`;
      case 3:
        return this.second(at);
      case 4:
        return `${this.second(at + 7_200_000)}.${this.millis(at)}+02:00`;
      case 5:
        return `${this.second(at)}.${this.millis(at).slice(0, 1)}Z`;
      default:
        return this.iso(at);
    }
  }

  /** `Nov 20 09:15:02` with the day in two columns, RFC 3164. */
  syslog(at: number): string {
    const text = this.second(at);
    const day = text.charAt(8) === '0' ? ` ${text.charAt(9)}` : text.slice(8, 10);
    return `${this.#month(text)} ${day} ${text.slice(11)}`;
  }

  /** `Nov 20 2026 09:15:02`, LEEF's own format. */
  leef(at: number): string {
    const text = this.second(at);
    return `${this.#month(text)} ${text.slice(8, 10)} ${text.slice(0, 4)} ${text.slice(11)}`;
  }

  #month(text: string): string {
    return MONTHS[Number(text.slice(5, 7)) - 1] as string;
  }
}
