/** What one end of a channel may ask of the other: plain data, because it crosses process borders. */
export type Requests = Readonly<Record<string, { readonly question: unknown; readonly answer: unknown }>>;

/** A question; its answer carries the same id. */
export type RequestMessage<R extends Requests> = {
  readonly [Name in keyof R & string]: {
    readonly type: 'request';
    readonly id: number;
    readonly name: Name;
    readonly question: R[Name]['question'];
  };
}[keyof R & string];

/** The answer to a question. */
export interface AnswerMessage {
  readonly type: 'answer';
  readonly id: number;
  readonly answer: unknown;
}

/** How an end answers: `answer` is called once, or never, which the asking end takes as no answer in time. */
export type RequestHandlers<R extends Requests> = {
  readonly [Name in keyof R & string]: (
    question: R[Name]['question'],
    answer: (answer: R[Name]['answer']) => void,
  ) => void;
};

/**
 * One end of a channel between two processes: requests that are answered, and notices that are not.
 * @typeParam Asks    what this end may ask
 * @typeParam Serves  what it answers
 * @typeParam Notices what it tells
 */
export class Channel<Asks extends Requests, Serves extends Requests, Notices> {
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #lastId = 0;
  #closed = false;

  /** @param send hands a message to the other process; what is sent over a lost channel is gone */
  constructor(
    private readonly send: (message: RequestMessage<Asks> | AnswerMessage | Notices) => void,
    private readonly handlers: RequestHandlers<Serves>,
  ) {}

  /** Tells the other end something. */
  notify(notice: Notices): void {
    this.send(notice);
  }

  /**
   * Asks the other end.
   * @param done      told the answer in the moment that it comes, or `undefined` when none comes within the time or the
   *                  channel is closed; once
   * @param timeoutMs without it, there is no limit
   */
  ask<Name extends keyof Asks & string>(
    name: Name,
    question: Asks[Name]['question'],
    done: (answer: Asks[Name]['answer'] | undefined) => void,
    timeoutMs?: number,
  ): void {
    if (this.#closed) return done(undefined);
    const id = (this.#lastId += 1);
    const settle = (answer: unknown): void => {
      clearTimeout(timer);
      if (this.#waiting.delete(id)) done(answer);
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => settle(undefined), timeoutMs);
    this.#waiting.set(id, settle);
    this.send({ type: 'request', id, name, question } as RequestMessage<Asks>);
  }

  /** As `ask`, with a promise; never rejects. */
  request<Name extends keyof Asks & string>(
    name: Name,
    question: Asks[Name]['question'],
    timeoutMs?: number,
  ): Promise<Asks[Name]['answer'] | undefined> {
    return new Promise((resolve) => this.ask(name, question, resolve, timeoutMs));
  }

  /** Takes a request or an answer of the other end; an answer that comes too late does nothing. */
  receive(message: RequestMessage<Serves> | AnswerMessage): void {
    if (message.type === 'answer') {
      this.#waiting.get(message.id)?.(message.answer);
      return;
    }
    const { id, name, question } = message;
    this.handlers[name](question, (answer) => this.send({ type: 'answer', id, answer }));
  }

  /** The other end is gone: what waits, and what is asked from now on, gets no answer. */
  close(): void {
    this.#closed = true;
    for (const settle of [...this.#waiting.values()]) settle(undefined);
  }
}
