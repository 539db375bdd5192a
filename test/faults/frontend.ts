import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pause } from '../../bench/load/clock.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The build that is tested unless it is another one. */
export const BUILD = join(ROOT, 'dist');
/** As ./start_frontend.sh has them. */
const NODE_FLAGS = ['--max-semi-space-size=8', '--no-allocation-site-pretenuring', '--expose-gc'];
const START_MS = 90_000;

export interface FrontendOptions {
  /** Where its code is: dist/, or src/, which Node runs as well. */
  readonly build: string;
  /** Where its log goes. */
  readonly folder: string;
  readonly port: number;
  /** Environment variables; those of whoever runs the rows do not count. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A frontend as a process, at the same port each time that it is started. */
export class Frontend {
  readonly port: number;
  readonly log: string;
  readonly #options: FrontendOptions;
  #child: ChildProcess | undefined;

  constructor(options: FrontendOptions) {
    this.#options = options;
    this.port = options.port;
    this.log = join(options.folder, `frontend-${options.port}.log`);
    // Not to outlive a run that ends in a hurry.
    process.once('exit', () => this.#child?.kill('SIGKILL'));
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when it listens. Nothing happens while it runs. */
  async start(): Promise<void> {
    if (this.isRunning) return;
    const log = openSync(this.log, 'a');
    const began = this.#logged.length;
    const preload = ['--import', fileURLToPath(new URL('clock-jump.ts', import.meta.url))];
    const built = join(this.#options.build, 'bin/frontend.js');
    const program = existsSync(built) ? built : built.replace(/js$/, 'ts');
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('MILENA_'));
    const child = spawn(process.execPath, [...NODE_FLAGS, ...preload, program], {
      env: { ...Object.fromEntries(own), MILENA_PORT: String(this.port), ...this.#options.settings },
      cwd: this.#options.folder,
      stdio: ['ignore', log, log],
    });
    this.#child = child;
    for (const deadline = Date.now() + START_MS; !this.#logged.slice(began).includes('"listening"'); ) {
      if (!this.isRunning || Date.now() > deadline)
        throw new Error(`a frontend did not start:\n${this.#logged.slice(began).slice(-3_000)}`);
      await pause(20);
    }
  }

  /** Ends it, and waits for that. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGUSR2'): void {
    if (this.isRunning) this.#child?.kill(signal);
  }

  get #logged(): string {
    try {
      return readFileSync(this.log, 'utf8');
    } catch {
      return '';
    }
  }
}
