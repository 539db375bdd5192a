import { type IPty, spawn } from '@lydell/node-pty';
import { seconds } from '../bench-run.ts';

/** How a program is called. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Size {
  readonly cols: number;
  readonly rows: number;
}

/** Between two keys, as a person types them. */
const KEY_EVERY_MS = 70;
const PATIENCE_S = 30;
/** Time for the chat to write down what it has. */
const TIME_TO_END_MS = 2_000;
const CTRL_U = '\u0015';

/** Letters that stand nowhere else on the screen, so that an echo is known for certain. */
const KEYS = Array.from('ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ');

/** A program in a pseudo-terminal. */
export class Pane {
  readonly #pty: IPty;
  readonly #ended: Promise<void>;
  readonly #began = performance.now();
  #pressed = 0;
  /** What was written since the last key. */
  #seen = '';
  #wanted: { text: string; resolve: (at: number) => void } | undefined;
  #all = '';

  constructor({ command, args, env }: Program, size: Size) {
    this.#pty = spawn(command, [...args], {
      ...size,
      name: 'xterm-256color',
      // Letters beyond ASCII go both ways.
      env: { ...process.env, LC_ALL: 'C.UTF-8', ...env, TERM: 'xterm-256color' },
    });
    this.#ended = new Promise((resolve) => this.#pty.onExit(() => resolve()));
    this.#pty.onData((data) => {
      this.#seen += data;
      this.#all = (this.#all + data).slice(-200_000);
      // Terminals answer when they are asked who they are; this one is none.
      if (this.#wanted !== undefined && this.#seen.includes(this.#wanted.text)) {
        this.#wanted.resolve(performance.now());
        this.#wanted = undefined;
      }
    });
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** Milliseconds from a key to its echo. */
  async press(key: string): Promise<number> {
    const pressed = performance.now();
    return (await this.#echoOf(key)) - pressed;
  }

  /** `count` keys, one after the other: milliseconds from each to its echo. */
  async keys(count: number): Promise<number[]> {
    const taken: number[] = [];
    for (let i = 0; i < count; i++) {
      const at = this.#pressed++ % KEYS.length;
      taken.push(await this.press(KEYS[at] ?? 'À'));
      // The line is emptied now and then, as people do when they send it.
      if (at === KEYS.length - 1) this.emptyLine();
      await seconds(KEY_EVERY_MS / 1000);
    }
    return taken;
  }

  /**
   * Milliseconds from the program's start until it shows `text`, and has echoed a key behind that.
   * @param turn another one for each start: the program may remember what was written and not sent
   */
  async usable(text: string, turn: number): Promise<number> {
    await this.shows(text, 0.001);
    return (await this.#echoOf(KEYS[turn % KEYS.length] ?? 'À')) - this.#began;
  }

  emptyLine(): void {
    this.type(CTRL_U);
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  async shows(text: string, everySeconds = 0.05): Promise<void> {
    const deadline = performance.now() + PATIENCE_S * 1000;
    while (!this.#all.includes(text)) {
      if (performance.now() > deadline) throw new Error(`never seen: ${text}\n${this.#all.slice(-3_000)}`);
      await seconds(everySeconds);
    }
  }

  /** Resolves when the program is gone. */
  async close(): Promise<void> {
    this.#pty.kill();
    // To irssi a hangup says that it shall read its settings again.
    const timer = setTimeout(() => this.#pty.kill('SIGKILL'), TIME_TO_END_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  #echoOf(key: string): Promise<number> {
    this.#seen = '';
    const seen = new Promise<number>((resolve) => {
      this.#wanted = { text: key, resolve };
    });
    this.#pty.write(key);
    return seen;
  }
}
