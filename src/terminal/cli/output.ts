import type { Writable } from 'node:stream';
import type { Deadline } from './deadline.ts';
import { EXIT, Failure } from './exit.ts';

/** Nobody reads what is written any more. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone';
}

/** How long what a signal has ended may still take to be written. */
const LAST_MS = 1_000;

/** Standard output, of which one knows when the operating system has taken what was written. */
export class Output {
  /** Stands still while a reader takes nothing. */
  deadline: Deadline | undefined;
  readonly #stream: Writable;
  readonly #interrupted: AbortSignal;
  #error: NodeJS.ErrnoException | undefined;

  constructor(stream: Writable, interrupted: AbortSignal) {
    this.#stream = stream;
    this.#interrupted = interrupted;
    // Each write hears of its own error; one without a listener would end the process.
    stream.on('error', (error) => {
      this.#error ??= error;
    });
  }

  /**
   * Resolves when the operating system has the whole text: it is in the file, on the terminal, or in the pipe, from
   * which its reader still has to take it. Waits for as long as a reader takes nothing.
   * @throws ReaderGone, Failure, Interrupted
   */
  async write(text: string): Promise<void> {
    this.#interrupted.throwIfAborted();
    const write = () => this.#written(text);
    this.#check(this.#error ?? (await (this.deadline?.pause(write) ?? write())));
  }

  /** As `line`, but a signal does not keep it back: it gives it a moment. @throws ReaderGone, Failure */
  async last(text: string): Promise<void> {
    const written = new Promise<Error | null | undefined>((resolve) => {
      this.#stream.write(`${text}\n`, resolve);
    });
    const givenUp = new Promise<null>((resolve) => {
      const giveUp = () => void setTimeout(resolve, LAST_MS, null);
      if (this.#interrupted.aborted) giveUp();
      else this.#interrupted.addEventListener('abort', giveUp, { once: true });
    });
    this.#check(this.#error ?? (await Promise.race([written, givenUp])));
  }

  #check(error: Error | null | undefined): void {
    if (error === null || error === undefined) return;
    const code = 'code' in error ? error.code : undefined;
    // A stream that ended by an error tells of later writes only that it is destroyed.
    if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') {
      throw new ReaderGone('nobody reads any more', { cause: error });
    }
    throw new Failure(EXIT.IO, `Writing to standard output failed: ${error.message}.`, { cause: error });
  }

  #written(text: string): Promise<Error | null | undefined> {
    return new Promise((resolve, reject) => {
      const abort = () => reject(this.#interrupted.reason);
      this.#interrupted.addEventListener('abort', abort, { once: true });
      this.#stream.write(text, (error) => {
        this.#interrupted.removeEventListener('abort', abort);
        resolve(error);
      });
    });
  }

  line(text: string): Promise<void> {
    return this.write(`${text}\n`);
  }
}
