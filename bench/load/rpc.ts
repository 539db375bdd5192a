import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Call {
  readonly id: number;
  readonly task: string;
  readonly options: unknown;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** In the process that was forked: lets the coordinator call the methods of `target`; ends with the coordinator. */
export function serve(target: object): void {
  const methods = target as Record<string, (options: unknown) => unknown>;
  process.on('message', (call: Call) => {
    const answer = (rest: Partial<Answer>) => process.send?.({ id: call.id, ...rest });
    Promise.resolve()
      .then(() => methods[call.task]?.(call.options))
      .then(
        (result) => answer({ result }),
        (error: unknown) =>
          answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      );
  });
  process.on('disconnect', () => process.exit(0));
}

/** A forked process whose methods can be called. */
export class Remote {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<
    number,
    { resolve: (result: unknown) => void; reject: (error: Error) => void }
  >();
  #calls = 0;

  /** @param file of the program, beside this one */
  constructor(file: string) {
    this.#child = fork(fileURLToPath(new URL(file, import.meta.url)), [], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // kafkajs computes time-outs that Node 24 finds negative.
      execArgv: ['--disable-warning=TimeoutNegativeWarning'],
    });
    this.#child.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.error !== undefined) waiting?.reject(new Error(answer.error));
      else waiting?.resolve(answer.result);
    });
    this.#child.once('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`${file} ended with ${signal ?? code}`));
      this.#waiting.clear();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  call(task: string, options: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = ++this.#calls;
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, task, options });
    });
  }

  /** Ends the process. */
  end(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
