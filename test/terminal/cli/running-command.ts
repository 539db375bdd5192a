import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEachTest } from '../../after-each.ts';
import { ROOT, scriptEnvironment } from '../../e2e/script.ts';

export interface CommandOptions {
  /** Environment variables. */
  readonly settings?: Record<string, string>;
  /** Standard input; null: stays open. */
  readonly input?: string | Buffer | null;
  /** By default the home folder. */
  readonly cwd?: string;
  /** What runs; by default the client's source. */
  readonly program?: readonly string[];
}

export interface Done {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

const SOURCE = [process.execPath, join(ROOT, 'src/terminal/main.ts')];
const running = new Set<RunningCommand>();

/** A home folder for one test file's commands: no settings, and a history of its own. */
export const home = mkdtempSync(join(tmpdir(), 'milena-home-'));
process.once('exit', () => rmSync(home, { recursive: true, force: true }));

/** The client as a process, without a terminal. */
export class RunningCommand {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | string | null>;
  #onOutput: () => void = () => undefined;

  constructor(args: readonly string[], options: CommandOptions = {}) {
    const { settings = {}, input = '', program = SOURCE, cwd = home } = options;
    const [file = '', ...first] = program;
    this.child = spawn(file, [...first, ...args], {
      env: {
        ...scriptEnvironment({}),
        HOME: home,
        XDG_CONFIG_HOME: '',
        XDG_DATA_HOME: '',
        LC_ALL: 'C.UTF-8',
        ...settings,
      },
      cwd,
      stdio: 'pipe',
      // A session of its own, so that whoever runs the tests is never asked for a password.
      detached: true,
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#took('stdout', text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#took('stderr', text));
    this.child.stdin?.on('error', () => undefined); // it may end without reading
    if (input !== null) this.child.stdin?.end(input);
    running.add(this);
    this.exited = new Promise((resolve) =>
      this.child.once('close', (code, signal) => {
        running.delete(this);
        resolve(code ?? signal);
      }),
    );
  }

  /** Resolves when one of the outputs matches; rejects when the command ends before. */
  async printed(pattern: RegExp): Promise<void> {
    const matches = () => pattern.test(this.stdout) || pattern.test(this.stderr);
    const matched = new Promise<void>((resolve) => {
      this.#onOutput = () => {
        if (matches()) resolve();
      };
      this.#onOutput();
    });
    const ended = this.exited.then((code) => {
      if (matches()) return;
      throw new Error(`ended with ${code} before it printed ${pattern}:\n${this.stdout}${this.stderr}`);
    });
    await Promise.race([matched, ended]);
  }

  async done(): Promise<Done> {
    return { code: await this.exited, stdout: this.stdout, stderr: this.stderr };
  }

  kill(signal: NodeJS.Signals): Promise<number | string | null> {
    this.child.kill(signal);
    return this.exited;
  }

  #took(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
    this.#onOutput();
  }
}

/** Runs a command to its end. */
export function milena(args: readonly string[], options: CommandOptions = {}): Promise<Done> {
  return new RunningCommand(args, options).done();
}

/** One object a line. */
export function objects(stdout: string): unknown[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
}

afterEachTest(async () => {
  await Promise.all([...running].map((command) => command.kill('SIGKILL')));
});
