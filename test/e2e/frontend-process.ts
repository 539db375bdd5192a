import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { testBrokers } from '../broker/brokers.ts';
import { ROOT } from './script.ts';

/** A real frontend, in a process of its own, on the brokers of the test run. */
export class FrontendProcess {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Starts one and waits until it listens. @param port 0 = any */
  static async start(port = 0, settings: Record<string, string> = {}): Promise<FrontendProcess> {
    const child = spawn(process.execPath, [join(ROOT, 'dist/frontend/main.js')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        MILENA_KAFKA_BROKERS: testBrokers().join(','),
        MILENA_HOST: '127.0.0.1',
        MILENA_PORT: String(port),
        MILENA_LOG_LEVEL: 'info',
        ...settings,
      },
    });
    return new FrontendProcess(child, await listening(child));
  }

  /** As an operator who pulls the plug: no time for anything. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }
}

function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let output = '';
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const port = /"port":(\d+)[^\n]*"msg":"listening"/.exec(output)?.[1];
      if (port !== undefined) resolve(Number(port));
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => reject(new Error(`the frontend ended with ${code}:\n${output}`)));
  });
}
