import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import stringWidth from 'string-width';
import { expect, vi } from 'vitest';

const WAIT = { timeout: 40_000, interval: 20 };
/** A screen is drawn in a few milliseconds, however slow the machine is. */
const QUIET_MS = 300;
// biome-ignore lint/suspicious/noControlCharactersInRegex: Alt+Enter is none
const BEHIND_ENTER = /(?<=[^\u001b]\r)(?=.)/su;
/** Less is as fast as no person. */
const BETWEEN_LINES_MS = 150;

export interface TerminalOptions {
  readonly columns: number;
  readonly rows: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** What the program takes the terminal for. */
  readonly name?: string;
}

/** What a program can change in a terminal besides its cells. */
export interface TerminalState {
  readonly title: string;
  readonly rings: number;
  readonly alternateScreen: boolean;
  readonly cursor: boolean;
  readonly modes: Readonly<Record<string, unknown>>;
}

/**
 * A command in a real pseudo-terminal, with a terminal emulator that reads what it writes and answers what it asks, as
 * a person's terminal does.
 */
export class TestTerminal {
  readonly #pty: IPty;
  readonly #emulator: InstanceType<typeof xterm.Terminal>;
  #title = '';
  #rings = 0;
  /** Everything that was written, escape sequences included. */
  output = '';
  exitCode: number | undefined;
  /** What is still to be typed, and how much that is. */
  #typing: Promise<void> = Promise.resolve();
  #toType = 0;

  /** @param command run by `sh`, so that further commands can look at what the first one left behind */
  constructor(command: string, options: TerminalOptions) {
    const { columns, rows, name = 'xterm-256color' } = options;
    this.#emulator = new xterm.Terminal({
      cols: columns,
      rows,
      allowProposedApi: true,
      windowOptions: { pushTitle: true, popTitle: true },
    });
    this.#emulator.unicode.register(CODE_POINTS);
    this.#emulator.unicode.activeVersion = CODE_POINTS.version;
    this.#pty = spawn('/bin/sh', ['-c', command], {
      name,
      cols: columns,
      rows,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env, TERM: name },
    });
    this.#pty.onData((data) => {
      this.output += data;
      this.#emulator.write(data);
    });
    this.#pty.onExit(({ exitCode }) => {
      this.exitCode = exitCode;
    });
    this.#emulator.onData((data) => {
      if (this.exitCode === undefined) this.#pty.write(data);
    });
    this.#emulator.onTitleChange((title) => {
      this.#title = title;
    });
    this.#emulator.onBell(() => {
      this.#rings += 1;
    });
  }

  /** What the person sees, row by row, without the blanks at the end of a row. */
  get rows(): string[] {
    const { active } = this.#emulator.buffer;
    return Array.from({ length: this.#emulator.rows }, (_, row) => {
      return (
        active
          .getLine(active.baseY + row)
          ?.translateToString(true)
          .trimEnd() ?? ''
      );
    });
  }

  /** The characters of a column, from the top; empty behind a wide one. */
  column(index: number): string[] {
    const { active } = this.#emulator.buffer;
    return Array.from({ length: this.#emulator.rows }, (_, row) => {
      return (
        active
          .getLine(active.baseY + row)
          ?.getCell(index)
          ?.getChars() ?? ''
      );
    });
  }

  /** The rows with something inverse on them. */
  get inverseRows(): number[] {
    const { active } = this.#emulator.buffer;
    return this.rows.flatMap((_, row) => {
      const line = active.getLine(active.baseY + row);
      const cells = Array.from({ length: this.#emulator.cols }, (__, column) => line?.getCell(column));
      return cells.some((cell) => (cell?.isInverse() ?? 0) !== 0) ? [row] : [];
    });
  }

  /** What is copied of it with the mouse: rows that the terminal itself has wrapped are one line. */
  get lines(): string[] {
    const { active } = this.#emulator.buffer;
    const lines: string[] = [];
    for (const [row, text] of this.rows.entries()) {
      if (active.getLine(active.baseY + row)?.isWrapped) lines.push(`${lines.pop() ?? ''}${text}`);
      else lines.push(text);
    }
    return lines;
  }

  get text(): string {
    return this.rows.join('\n');
  }

  get cursor(): { column: number; row: number } {
    const { active } = this.#emulator.buffer;
    return { column: active.cursorX, row: active.cursorY };
  }

  get isOnAlternateScreen(): boolean {
    return this.#emulator.buffer.active.type === 'alternate';
  }

  get takesPastes(): boolean {
    return this.#emulator.modes.bracketedPasteMode;
  }

  get showsCursor(): boolean {
    return this.output.lastIndexOf('\u001b[?25h') >= this.output.lastIndexOf('\u001b[?25l');
  }

  get state(): TerminalState {
    return {
      title: this.#title,
      rings: this.#rings,
      alternateScreen: this.isOnAlternateScreen,
      cursor: this.showsCursor,
      modes: { ...this.#emulator.modes },
    };
  }

  /** Keys of a person, who lets a moment pass behind each Enter. */
  type(text: string): void {
    const [first = '', ...lines] = text.split(BEHIND_ENTER);
    this.#then(() => this.#pty.write(first), 0);
    for (const line of lines) this.#then(() => this.#pty.write(line), BETWEEN_LINES_MS);
  }

  /** Bytes at once, as a terminal sends a paste that it does not mark. */
  send(bytes: string): void {
    this.#pty.write(bytes);
  }

  /** Does it behind everything that is still to be typed, at once if that is nothing. */
  #then(write: () => void, delayMs: number): void {
    const isIdle = this.#toType === 0 && delayMs === 0;
    if (isIdle) {
      write();
      return;
    }
    this.#toType += 1;
    this.#typing = this.#typing.then(async () => {
      await sleep(delayMs);
      if (this.exitCode === undefined) write();
      this.#toType -= 1;
    });
  }

  resize(columns: number, rows: number): void {
    this.#emulator.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** Waits until all patterns match what is on the screen. */
  async shows(...patterns: readonly RegExp[]): Promise<void> {
    await this.until(() => {
      for (const pattern of patterns) expect(this.text).toMatch(pattern);
    });
  }

  /** Waits until `check` no longer throws. */
  async until(check: () => void): Promise<void> {
    await vi.waitFor(check, WAIT);
  }

  /** Waits until nothing more is written. */
  async settled(): Promise<void> {
    for (let length = -1; length < this.output.length; await sleep(QUIET_MS)) length = this.output.length;
  }

  /** The process of the first command that the shell runs. */
  get pid(): number {
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(this.#pty.pid)], {
      encoding: 'utf8',
    });
    const pid = Number(children.trim().split('\n')[0]);
    if (!(pid > 0)) throw new Error('the shell runs nothing');
    return pid;
  }

  /** Sends a signal to the first command that the shell runs. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Closes the window, as a person does: the terminal is gone for everything in it. */
  hangUp(): void {
    const destroy: unknown = Reflect.get(this.#pty, 'destroy');
    if (typeof destroy !== 'function') throw new Error('no way to close the terminal');
    destroy.call(this.#pty);
  }

  close(): void {
    if (this.exitCode === undefined) this.#pty.kill('SIGKILL');
    this.#emulator.dispose();
  }
}

/** Widths as most terminals count them: for each code point by itself, whatever it is joined to. */
const CODE_POINTS = {
  version: 'code points',

  wcwidth(codePoint: number): 0 | 1 | 2 {
    const character = String.fromCodePoint(codePoint);
    if (/[\p{Mn}\p{Me}\p{Cf}]/u.test(character)) return 0;
    return stringWidth(character) === 2 ? 2 : 1;
  },

  /** Bits as the emulator has them: whether it belongs to the cell before, two for the width. */
  charProperties(codePoint: number, preceding: number): number {
    const width = this.wcwidth(codePoint);
    const before = (preceding >> 1) & 3;
    return width === 0 && before > 0 ? (before << 1) | 1 : width << 1;
  },
};

/*
 * CSI with its parameters and intermediates; OSC, DCS, SOS, PM and APC up to their end; other escape sequences; C0 and
 * C1 controls. What is left is text.
 */
const CONTROLS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
  /(?:\u001b\[|\u009b)([<-?]?)([0-9:;]*)([ -/]*)([@-~])|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])([\s\S]*?)(?:\u0007|\u001b\\|\u009c)|\u001b([ -/]*[0-~])|([\u0000-\u001f\u007f-\u009f])/gu;

/** Cursor moves and erasing, colours: what drawing consists of. */
const DRAWING = new Set(['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'd', 'f', 'm']);

/** Every kind of thing, besides drawing, that an output does to a terminal; each once, in order of their first. */
export function effectsOf(output: string): string[] {
  const found = new Set<string>();
  for (const match of output.matchAll(CONTROLS)) {
    const [whole, prefix = '', parameters = '', between = '', final, string, sequence, control] = match;
    if (final !== undefined) {
      if (prefix === '' && between === '' && DRAWING.has(final)) continue;
      found.add(`CSI ${prefix}${parameters}${between}${final}`);
    } else if (string !== undefined) {
      found.add(`${whole.startsWith('\u001b]') || whole.startsWith('\u009d') ? 'OSC' : 'string'} ${string}`);
    } else if (sequence !== undefined) found.add(`ESC ${sequence}`);
    else if (control !== '\r' && control !== '\n') found.add(`C ${control?.charCodeAt(0).toString(16)}`);
  }
  return [...found];
}
