import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { cpus, totalmem } from 'node:os';
import { createInterface } from 'node:readline';

/** What all benchmarks need: a frontend of their own, and figures a person can read. */

export const HOST = '127.0.0.1';

/** Benchmarks make more accounts from one address than people do. */
export const MANY_ACCOUNTS = {
  MILENA_MAX_ACCOUNTS: '10000000',
  MILENA_NEW_ACCOUNTS_PER_ADDRESS: '10000000',
  MILENA_NEW_ACCOUNTS: '10000000',
};

/** As ./start_frontend.sh has them. */
const NODE_FLAGS = ['--max-semi-space-size=8', '--no-allocation-site-pretenuring', '--expose-gc'];

/** A frontend in a process of its own, listening; built before. */
export async function startFrontend(onPort: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [...NODE_FLAGS, 'dist/bin/frontend.js'], {
    env: {
      ...process.env,
      NODE_ENV: 'production',
      MALLOC_ARENA_MAX: '1',
      MILENA_HOST: HOST,
      MILENA_PORT: String(onPort),
      ...MANY_ACCOUNTS,
      // Its line "listening" is waited for below.
      MILENA_LOG_LEVEL: 'info',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code) => reject(new Error(`the frontend ended with ${code}`)));
  });
  ended.catch(() => {});
  const lines = createInterface({ input: child.stdout });
  const listening = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      if (line.includes('"listening"')) resolve();
    });
  });
  await Promise.race([listening, ended]);
  return child;
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

export function percentiles(samples: number[]): { p50: number; p90: number; p99: number } {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

/** For the results: on what they were measured. */
export function machine(): string {
  return `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${process.platform}`;
}

export function progress(text: string): void {
  process.stderr.write(`${text}…\n`);
}

export function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}

/** To two places. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
