import type {
  Batch,
  EventRecord,
  EventType,
  JsonSchema,
  Origin,
  SourceEvent,
  Transform,
} from '../api/index.js';
import { compileSchema, type SchemaCheck } from './compile-schema.js';
import type { KnownKeys } from './extra.js';
import { InexactNumber, parseExact } from './exact-numbers.js';
import { rejectFor, schemaError } from './reject.js';
import { decodeWithoutWrong } from './set-aside.js';

/** Values of a wrong type that do not cost their event. */
export interface SetAsideOptions {
  /** Keys that say too much to be guessed: a wrong type there makes the event a reject. */
  readonly except: readonly string[];
  /** Told how many values of a batch were set aside, when there were any. */
  readonly count?: (values: number) => void;
}

/** What the author of a parser writes; the loop, the schema and the rejects are `parserTransform`'s. */
export interface ParserOptions<T> {
  /** What `decode` makes. */
  readonly eventType: EventType;
  /** `SourceEvent.type` of the events it takes, for example `FileSystem`. */
  readonly claims: string;
  /** JSON Schema (draft-07) of the message, compiled once; `decode` is called only for messages that fit. */
  readonly schema: JsonSchema;
  /**
   * Has schema and `decode` see the message as `keys.arrange` gives it: half the cost where messages have many keys that
   * senders leave out (file events), no gain elsewhere. They have to hold all keys that the schema names; `decode` asks
   * them for the `rest`.
   */
  readonly keys?: KnownKeys;
  /**
   * Set where a value of a wrong type costs its key only and not the event: the message is decoded without it, and it is
   * kept in the record's `extra`, which the event type has to have. An event that needs the key stays a reject.
   */
  readonly setAside?: SetAsideOptions;
  /** What the schema is applied to; the event's value by default. May throw RejectError. */
  readonly read?: (event: SourceEvent) => unknown;
  /** Makes the record: all fields of the event type, in its order, as one object literal. May throw RejectError. */
  readonly decode: (
    message: T,
    batch: { readonly receivedAt: number; readonly origin: Origin },
  ) => EventRecord;
}

/**
 * Makes a parser: validates and decodes the events it claims, and turns those it cannot take into rejects with code,
 * JSON pointer and a sentence. Whatever an event holds, `apply` does not throw and loses none: an unexpected error
 * rejects its event as `decode_failed`.
 */
export function parserTransform<T>(options: ParserOptions<T>): Transform {
  return new ParserTransform(options);
}

class ParserTransform<T> implements Transform {
  readonly #options: ParserOptions<T>;
  readonly #check: SchemaCheck;
  /** Values of the batch at hand that were set aside. */
  #setAside = 0;

  constructor(options: ParserOptions<T>) {
    this.#options = options;
    this.#check = compileSchema(options.schema, options.keys);
  }

  apply(batch: Batch): void {
    const { claims } = this.#options;
    const { events } = batch;
    let kept = 0;
    for (const event of events) {
      if (event.type === claims && event.record === undefined && !this.#take(event, batch)) continue;
      events[kept] = event;
      kept += 1;
    }
    events.length = kept;
    if (this.#setAside === 0) return;
    this.#options.setAside?.count?.(this.#setAside);
    this.#setAside = 0;
  }

  /** Whether the event is decoded; if not, its reject is in the batch. */
  #take(event: SourceEvent, batch: Batch): boolean {
    const { read } = this.#options;
    try {
      if (read === undefined) this.#decodeValue(event, batch);
      else this.#decode(event, read(event), batch);
      return true;
    } catch (error) {
      if (this.#takeWithoutWrong(event, batch, error)) return true;
      batch.rejects.push(rejectFor(error, event.raw, this.#options.eventType));
      return false;
    }
  }

  #takeWithoutWrong(event: SourceEvent, batch: Batch, error: unknown): boolean {
    const { setAside } = this.#options;
    if (setAside === undefined) return false;
    const decode = (message: unknown): void => this.#decode(event, this.#arranged(message), batch);
    const values = decodeWithoutWrong(event, setAside.except, decode, error);
    this.#setAside += values;
    return values > 0;
  }

  #decodeValue(event: SourceEvent, batch: Batch): void {
    try {
      this.#decode(event, this.#arranged(event.value), batch);
    } catch (error) {
      if (!(error instanceof InexactNumber)) throw error;
      this.#decode(event, this.#arranged(parseExact(event.raw)), batch);
    }
  }

  #arranged(message: unknown): unknown {
    const { keys } = this.#options;
    return keys === undefined ? message : keys.arrange(message);
  }

  #decode(event: SourceEvent, message: unknown, batch: Batch): void {
    const errors = this.#check(message);
    if (errors !== undefined) throw schemaError(errors);
    event.record = this.#options.decode(message as T, batch);
    event.eventType = this.#options.eventType;
  }
}
