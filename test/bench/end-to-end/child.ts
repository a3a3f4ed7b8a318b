import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

interface Question {
  readonly id: number;
  readonly body: unknown;
}

interface Answer {
  readonly id: number;
  readonly body?: unknown;
  readonly error?: string;
}

/** A process of the benchmark's own that answers one kind of question; what it does is not in the figures of others. */
export class Child<Q, A> {
  #next = 0;
  readonly #waiting = new Map<number, { resolve: (answer: A) => void; reject: (error: Error) => void }>();

  private constructor(
    private readonly process: ChildProcess,
    private readonly name: string,
  ) {
    process.on('message', (answer: Answer) => this.#take(answer));
    process.once('exit', (code) => this.#failAll(`${this.name} ended with ${code}.`));
  }

  /** Starts a file of this folder, named without its ending. */
  static start<Q, A>(name: string, args: readonly string[] = []): Child<Q, A> {
    const file = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
    return new Child(fork(file, args, { serialization: 'advanced' }), name);
  }

  get pid(): number {
    return this.process.pid ?? -1;
  }

  /**
   * Asks and waits for the answer.
   * @throws Error with the child's words, or when it has ended
   */
  ask(body: Q): Promise<A> {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.process.send({ id, body } satisfies Question, (error) => {
        if (error !== null) this.#take({ id, error: error.message });
      });
    });
  }

  /** Ends the process and waits until it is gone. */
  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exited;
  }

  #take({ id, body, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(body as A);
    else waiting?.reject(new Error(`${this.name}: ${error}`));
  }

  #failAll(reason: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(reason));
    this.#waiting.clear();
  }
}

/** The child's side: answers every question with what `handle` gives, and ends when its parent is gone. */
export function serve<Q, A>(handle: (question: Q) => Promise<A> | A): void {
  const send = (answer: Answer): void => void process.send?.(answer);
  process.on('disconnect', () => process.exit());
  process.on('message', ({ id, body }: Question) => {
    Promise.resolve()
      .then(() => handle(body as Q))
      .then(
        (answer) => send({ id, body: answer }),
        (error: Error) => send({ id, error: error.message }),
      );
  });
}
