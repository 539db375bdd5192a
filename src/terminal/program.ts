/*
 * Without a command the screen, or the same line by line; with one, one thing for a script. What is not needed is not
 * loaded: a command has no time for React.
 */
import { readFileSync } from 'node:fs';
import { invocationOf } from './cli/arguments.ts';
import { codeFor } from './cli/carry-out.ts';
import type { CommandName } from './cli/commands.ts';
import { EXIT } from './cli/exit.ts';
import { runCommand, say } from './cli/run.ts';
import { colorDepthOf } from './environment.ts';
import type { Flags } from './setting-sources.ts';
import { readSettings } from './settings.ts';
import { noteRun } from './started.ts';

/** Resolves to the process's exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const invocation = invocationOf(args);
    switch (invocation.type) {
      case 'help':
        return await help(invocation.command);
      case 'version':
        return await print(`milena ${version()}\n`);
      case 'command':
        noteRun(process.env);
        return await runCommand(invocation.name, invocation.args);
      case 'screen':
        noteRun(process.env);
        return await runChat(invocation.flags);
    }
  } catch (error) {
    return codeFor(error, say);
  }
}

/** For people. */
async function runChat(flags: Flags): Promise<number> {
  const invite = typeof flags.invite === 'string' ? flags.invite : null;
  const settings = readSettings(flags, process.env);
  if (settings.plain || process.env.TERM === 'dumb') {
    const { runPlain } = await import('./line/run.ts');
    return runPlain(settings, invite);
  }
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    process.stderr.write(
      'milena: the chat is for people and needs a terminal for its input and output.\n' +
        'milena: --plain does with less, and commands are for scripts: milena --help lists them.\n',
    );
    return EXIT.USAGE;
  }
  const colorDepth = colorDepthOf(process.stdout, process.env);
  // Read when React is loaded, so it is set before that.
  process.env.NODE_ENV = 'production';
  // Ink's layout, once loaded, fetches its code from itself, and `fetch` is an HTTP client that takes longer to load than that.
  Reflect.deleteProperty(globalThis, 'fetch');
  const { runScreen } = await import('./tui/run.tsx');
  return runScreen(settings, invite, colorDepth);
}

async function help(command: CommandName | null): Promise<number> {
  const { HELP, OVERVIEW } = await import('./cli/help.ts');
  return print(command === null ? OVERVIEW : HELP[command]);
}

/** Resolves when it is written: the process ends then. */
function print(text: string): Promise<number> {
  return new Promise((resolve) => {
    process.stdout.on('error', () => resolve(EXIT.OK));
    process.stdout.write(text, () => resolve(EXIT.OK));
  });
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version: number }: { version?: unknown } = JSON.parse(text);
  return typeof number === 'string' ? number : '?';
}
