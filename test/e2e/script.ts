import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TEST_KEYS } from '../broker/brokers.ts';
import { quickStart } from '../broker/java.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * The environment for a script: without the settings of whoever runs the tests. An empty variable counts as not set and
 * hides one in a .env file.
 */
export function scriptEnvironment(settings: Record<string, string>): Record<string, string | undefined> {
  const environment: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (!name.startsWith('MILENA_')) environment[name] = value;
  }
  const none = {
    MILENA_KAFKA_BROKERS: '',
    MILENA_HOST: '',
    MILENA_PORT: '',
    MILENA_KAFKA_PORT: '',
    MILENA_INBOX_PREFIX: '',
    // Each start asks for the password, but in the tests that are about that.
    MILENA_STAY_LOGGED_IN: 'false',
    MILENA_CLUSTER_KEYS: TEST_KEYS,
    // Brokers and tools of Kafka that scripts start, too, are started as those of tests are.
    ...(process.env.MILENA_TEST_ARCHIVE === undefined
      ? {}
      : {
          JDK_JAVA_OPTIONS: quickStart()
            .map((option) => `"${option}"`)
            .join(' '),
        }),
  };
  const kept = ['MILENA_KAFKA', 'MILENA_KAFKA_IMAGE'].map((name) => [name, process.env[name] ?? ''] as const);
  return { ...environment, ...none, ...Object.fromEntries(kept), ...settings };
}

/** A folder for one test's logs, pids and data; `remove` deletes it. */
export function stateFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'milena-state-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** A running script, with all that it has printed so far. */
export class RunningScript {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly exited: Promise<number | null>;
  #onOutput: () => void = () => {};

  constructor(script: string, args: readonly string[], settings: Record<string, string>, cwd: string) {
    this.child = spawn(join(ROOT, script), args, { env: scriptEnvironment(settings), cwd, stdio: 'pipe' });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#onOutput();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#onOutput();
    });
    this.exited = new Promise((resolve) => this.child.once('close', (code) => resolve(code)));
  }

  /** Resolves when both outputs together match; rejects when the script ends before. */
  async printed(pattern: RegExp): Promise<void> {
    const matched = new Promise<void>((resolve) => {
      this.#onOutput = () => {
        if (pattern.test(this.stdout + this.stderr)) resolve();
      };
      this.#onOutput();
    });
    const ended = this.exited.then((code) => {
      if (!pattern.test(this.stdout + this.stderr)) {
        throw new Error(`ended with ${code} before it printed ${pattern}:\n${this.stdout}${this.stderr}`);
      }
    });
    await Promise.race([matched, ended]);
  }
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script to its end, by default with nothing on standard input. */
export async function runScript(
  script: string,
  args: readonly string[] = [],
  options: { settings?: Record<string, string>; input?: string; cwd?: string } = {},
): Promise<Finished> {
  const running = new RunningScript(script, args, options.settings ?? {}, options.cwd ?? tmpdir());
  running.child.stdin?.on('error', () => {}); // it may end without reading
  running.child.stdin?.end(options.input ?? '');
  const code = await running.exited;
  return { code, stdout: running.stdout, stderr: running.stderr };
}
