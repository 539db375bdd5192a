import { render } from 'ink-testing-library';
import { expect, vi } from 'vitest';
import { type ClientOptions, DEFAULT_OPTIONS } from '../../../src/client/events.ts';
import { ServerClock } from '../../../src/client/server-clock.ts';
import type { AccountOptions } from '../../../src/terminal/chat/account-questions.ts';
import type { Display } from '../../../src/terminal/chat/display.ts';
import { ServerAdapter } from '../../../src/terminal/chat/server-adapter.ts';
import { Histories } from '../../../src/terminal/history/histories.ts';
import { Keyboard } from '../../../src/terminal/keyboard/terminal.ts';
import { App } from '../../../src/terminal/tui/app.tsx';
import { Chat } from '../../../src/terminal/tui/chat.ts';
import { themeFor } from '../../../src/terminal/tui/theme.ts';

export interface ScreenOptions {
  /** The account to log in to. */
  readonly user?: string | null;
  /** Where the history is; in memory if it is not given. */
  readonly directory?: string;
  readonly columns?: number;
  readonly rows?: number;
  readonly client?: Partial<ClientOptions>;
  /** Words of the person's own. */
  readonly highlight?: readonly string[];
  /** What the start said about accounts. */
  readonly account?: AccountOptions;
}

export const KEY = {
  enter: '\r',
  altEnter: '\u001b\r',
  escape: '\u001b',
  up: '\u001b[A',
  down: '\u001b[B',
  left: '\u001b[D',
  pageUp: '\u001b[5~',
  pageDown: '\u001b[6~',
  altUp: '\u001b[1;3A',
  altDown: '\u001b[1;3B',
  tab: '\t',
  shiftTab: '\u001b[Z',
  backspace: '\u007f',
  alt: (key: string) => `\u001b${key}`,
  ctrl: (letter: string) => String.fromCharCode(letter.charCodeAt(0) - 96),
} as const;

// biome-ignore lint/suspicious/noControlCharactersInRegex: SGR sequences begin with one
const COLOURS = /\u001b\[[\d;]*m/g;
const LOOKS = { theme: themeFor('mono', {}, 1), signs: 'unicode', links: false, colorDepth: 1 } as const;
const WAIT = { timeout: 30_000, interval: 5 };
/** Enter comes by itself, unless it is Alt+Enter. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: Escape makes Alt of a key
const ENTER = /(?<=[^\u001b])(?=\r)|(?<=[^\u001b]\r|^\r)/;
/** Between two keys of a person; no time passes for anything else. */
const BETWEEN_KEYS_MS = 300;

/** What a person has in front of them, without a terminal: the real screen, and a client on a real socket. */
export class TestScreen {
  readonly chat: Chat;
  rings = 0;
  /** What the bell was told, last at the end. */
  readonly rung: string[] = [];
  readonly titles: string[] = [];
  /** What the history had to tell. */
  readonly problems: string[] = [];
  quits = 0;
  readonly #ink: ReturnType<typeof render>;
  readonly #keyboard: Keyboard;
  /** How far the keyboard's clock is ahead. */
  #typedMs = 0;

  constructor(port: number, options: ScreenOptions = {}) {
    const { user = null, columns = 80, rows = 24 } = options;
    const servers = [{ host: '127.0.0.1', port }];
    const server = `127.0.0.1:${port}`;
    const directory = options.directory ?? null;
    const onProblem = (sentence: string) => void this.problems.push(sentence);
    const clock = new ServerClock();
    const histories = new Histories({ directory, server, onProblem, now: clock.now });
    const quick = { reconnect: { firstMs: 20, maxMs: 100 }, relogin: { firstMs: 20, maxMs: 50, tries: 3 } };
    const all = { ...DEFAULT_OPTIONS, ...quick, ...options.client, servers, store: histories };
    const makeServerAdapter = (display: Display) => new ServerAdapter(all, display, options.account);
    const bell = {
      ring: (from: string, text: string) => {
        this.rings++;
        this.rung.push(`${from}: ${text}`);
      },
      title: (text: string) => void this.titles.push(text),
    };
    this.chat = new Chat(
      makeServerAdapter,
      server,
      histories,
      { columns, rows },
      bell,
      () => void this.quits++,
      {
        clock,
        highlight: options.highlight ?? [],
      },
    );
    this.#keyboard = new Keyboard(
      (events) => this.chat.take(events),
      () => performance.now() + this.#typedMs,
    );
    this.#ink = render(<App chat={this.chat} getRows={() => this.chat.getFrame().rows} looks={LOOKS} />);
    this.resize(columns, rows);
    this.chat.start(user ?? histories.lastAccount());
  }

  /** What is shown, row by row, without the blanks at the end of a row. */
  get rows(): string[] {
    return this.#raw.split('\n').map((row) => row.trimEnd());
  }

  get text(): string {
    return this.rows.join('\n');
  }

  /** The text beside the list as if no row had been broken. */
  get said(): string {
    return this.rows
      .map((row) => row.replace(/^[^│]*│/u, ''))
      .join(' ')
      .replace(/\s+/gu, ' ');
  }

  /** The last row but one, where a short line is written. */
  get input(): string | undefined {
    return this.rows.at(-2);
  }

  /** The rows beside the list, without times, names and lines between days: only for conversations with `name`. */
  messagesOf(name: string): string[] {
    const pattern = new RegExp(`(?:^|│) \\d\\d:\\d\\d {2}(?:${name}|me) +(.*)$`, 'u');
    return this.rows.flatMap((row) => pattern.exec(row)?.[1] ?? []);
  }

  /** The rows of the list beside the messages, from the top, with single blanks and without numbers. */
  get list(): string[] {
    return this.rows
      .flatMap(
        (row) =>
          /^([^│]*)│/u
            .exec(row)?.[1]
            ?.replace(/^(.)[\d ] /u, '$1 ')
            .replace(/ +/g, ' ')
            .trim() ?? [],
      )
      .filter((row) => row !== '');
  }

  /** Every frame so far, as it was written. */
  get frames(): readonly string[] {
    return this.#ink.frames;
  }

  /** Keys as a terminal sends them, one after the other; a person lets time pass between them, and behind Enter. */
  keys(...pressed: readonly string[]): void {
    for (const key of pressed.flatMap((keys) => keys.split(ENTER))) {
      this.#typedMs += BETWEEN_KEYS_MS;
      this.read(key);
    }
  }

  /** Bytes that come in one read. */
  read(bytes: string): void {
    this.#keyboard.push(Buffer.from(bytes));
  }

  /** A paste as a terminal marks it. */
  paste(text: string): void {
    this.read(`\u001b[200~${text}\u001b[201~`);
  }

  resize(columns: number, rows: number): void {
    const { stdout } = this.#ink;
    Object.defineProperty(stdout, 'columns', { value: columns, configurable: true });
    Object.defineProperty(stdout, 'rows', { value: rows, configurable: true });
    stdout.emit('resize');
  }

  /** Waits until all patterns match what is shown, as it is or with broken rows put together. */
  async shows(...patterns: readonly RegExp[]): Promise<void> {
    await this.until(() => {
      for (const pattern of patterns) if (!pattern.test(this.said)) expect(this.text).toMatch(pattern);
    });
  }

  /** Waits until `check` no longer throws. */
  async until(check: () => unknown): Promise<void> {
    await vi.waitFor(check, WAIT);
  }

  /** Waits until the line that is written is this one, prompt included. */
  async inputIs(text: string): Promise<void> {
    await this.until(() => expect(this.input).toBe(text));
  }

  /** From the question for a name. */
  async logIn(name = 'alice', password = 'secret'): Promise<void> {
    await this.shows(/ your name › *$/m, /● online/);
    this.keys(`/login ${name}`, KEY.enter, password, KEY.enter);
    await this.shows(new RegExp(`^ milena · ${name} .*● online$`, 'm'), new RegExp(`Logged in as ${name}`));
  }

  async close(): Promise<void> {
    this.#keyboard.close();
    this.#ink.unmount();
    await this.chat.close();
  }

  get #raw(): string {
    return (this.#ink.lastFrame() ?? '').replace(COLOURS, '');
  }
}
