import { execFileSync } from 'node:child_process';
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { expect, vi } from 'vitest';

const WAIT = { timeout: 40_000, interval: 20 };

/**
 * A command in a real pseudo-terminal, with a terminal emulator that reads what it writes and answers what it asks, as
 * a person's terminal does.
 */
export class TestTerminal {
  readonly #pty: IPty;
  readonly #emulator: InstanceType<typeof xterm.Terminal>;
  /** Everything that was written, escape sequences included. */
  output = '';
  exitCode: number | undefined;

  /** @param command run by `sh`, so that further commands can look at what the first one left behind */
  constructor(command: string, options: { columns: number; rows: number; env?: Record<string, string> }) {
    const { columns, rows } = options;
    this.#emulator = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
    this.#pty = spawn('/bin/sh', ['-c', command], {
      name: 'xterm-256color',
      cols: columns,
      rows,
      env: { ...process.env, ...options.env, TERM: 'xterm-256color' },
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
  }

  /** What the person sees, row by row, without the blanks at the end of a row. */
  get rows(): string[] {
    const { active } = this.#emulator.buffer;
    return Array.from({ length: this.#emulator.rows }, (_, row) => {
      return active.getLine(active.baseY + row)?.translateToString(true) ?? '';
    });
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

  type(text: string): void {
    this.#pty.write(text);
  }

  resize(columns: number, rows: number): void {
    this.#emulator.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** Waits until all patterns match what is on the screen. */
  async shows(...patterns: RegExp[]): Promise<void> {
    await this.until(() => {
      for (const pattern of patterns) expect(this.rows.join('\n')).toMatch(pattern);
    });
  }

  /** Waits until `check` no longer throws. */
  async until(check: () => void): Promise<void> {
    await vi.waitFor(check, WAIT);
  }

  /** Sends a signal to the first command that the shell runs. */
  signal(name: NodeJS.Signals): void {
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(this.#pty.pid)], {
      encoding: 'utf8',
    });
    const pid = Number(children.trim().split('\n')[0]);
    if (!(pid > 0)) throw new Error('the shell runs nothing');
    process.kill(pid, name);
  }

  close(): void {
    if (this.exitCode === undefined) this.#pty.kill('SIGKILL');
    this.#emulator.dispose();
  }
}
