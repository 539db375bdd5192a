import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, vi } from 'vitest';
import { ROOT, scriptEnvironment } from './script.ts';

const run = promisify(execFile);

/** How long a frontend may take to listen: its code has to be read and compiled, on a machine with other work. */
const START_MS = 150_000;

/** Brings dist/ up to date: what is tested is what runs. */
export async function built(): Promise<void> {
  await run('bash', ['--norc', '-c', '. scripts/common.sh && ensure_build'], { cwd: ROOT });
}

/** Tests make more accounts from one address than people do. */
const MANY_ACCOUNTS = { MILENA_NEW_ACCOUNTS_PER_ADDRESS: '100000', MILENA_NEW_ACCOUNTS: '100000' };

/** The frontend as a process of its own, with everything it prints and how it ends. */
export class RunningFrontend {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  #end: number | string | undefined;

  /**
   * @param settings environment variables; a free port unless they name one
   * @param cwd by default one without a .env file of whoever runs the tests
   */
  constructor(settings: Record<string, string>, args: readonly string[] = [], cwd: string = tmpdir()) {
    this.child = spawn(process.execPath, [join(ROOT, 'dist/bin/frontend.js'), ...args], {
      env: {
        ...scriptEnvironment({ ...MANY_ACCOUNTS, ...settings }),
        MILENA_PORT: settings.MILENA_PORT ?? '0',
      },
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exited = new Promise((resolve) =>
      this.child.once('close', (code, signal) => {
        this.#end = code ?? signal ?? 'gone';
        resolve(this.#end);
      }),
    );
  }

  /** A frontend that listens. */
  static async start(
    settings: Record<string, string>,
    args: readonly string[] = [],
  ): Promise<RunningFrontend> {
    const frontend = new RunningFrontend(settings, args);
    const isOver = () => frontend.#end !== undefined || frontend.hasLogged('listening');
    await vi
      .waitFor(() => expect(isOver()).toBe(true), { timeout: START_MS, interval: 10 })
      .catch(async (error: unknown) => {
        await frontend.remove();
        throw error;
      });
    if (frontend.#end !== undefined)
      throw new Error(`the frontend ended: ${frontend.stderr}${frontend.stdout}`);
    return frontend;
  }

  get address(): { host: string; port: number } {
    const line = this.stdout.split('\n').find((text) => text.includes('"msg":"listening"'));
    const { host, port }: { host?: unknown; port?: unknown } = JSON.parse(line ?? '{}');
    if (typeof host !== 'string' || typeof port !== 'number')
      throw new Error(`not listening: ${this.stdout}`);
    return { host, port };
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  hasLogged(text: string): boolean {
    return this.stdout.includes(`"msg":"${text}"`);
  }

  async kill(signal: NodeJS.Signals): Promise<number | string> {
    this.child.kill(signal);
    return this.exited;
  }

  /** For the end of a test, however it went. */
  async remove(): Promise<void> {
    if (this.#end === undefined) await this.kill('SIGKILL');
  }
}
