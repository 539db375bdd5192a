#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseOptions, USAGE } from './tui/options.ts';

const BAD_USAGE = 64;

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), process.env);
  switch (options.type) {
    case 'help':
      process.stdout.write(USAGE);
      return 0;
    case 'version':
      process.stdout.write(`milena ${version()}\n`);
      return 0;
    case 'mistake':
      process.stderr.write(`milena: ${options.text}\n\n${USAGE}`);
      return BAD_USAGE;
    case 'chat':
      break;
  }
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    process.stderr.write(
      'milena: this is a client for people and needs a terminal for its input and output.\n',
    );
    return BAD_USAGE;
  }
  // Both are read when React and Ink are loaded, so they are set before that.
  process.env.NODE_ENV = 'production';
  if (process.env.NO_COLOR) process.env.FORCE_COLOR = '0';
  const { runScreen } = await import('./tui/run.tsx');
  return runScreen(options.server);
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version: number }: { version?: unknown } = JSON.parse(text);
  return typeof number === 'string' ? number : '?';
}

process.exit(await main());
