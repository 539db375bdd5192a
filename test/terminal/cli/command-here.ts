import { Writable } from 'node:stream';
import { invocationOf } from '../../../src/terminal/cli/arguments.ts';
import { carryOut, codeFor } from '../../../src/terminal/cli/carry-out.ts';
import { type Context, Interrupted } from '../../../src/terminal/cli/context.ts';
import type { EndingSignal } from '../../../src/terminal/cli/exit.ts';
import { Output } from '../../../src/terminal/cli/output.ts';
import { scriptEnvironment } from '../../e2e/script.ts';
import { type Done, home } from './running-command.ts';

const running = new Set<CommandHere>();

/** Ends what has not ended by itself; resolves when it has. */
export async function endCommands(): Promise<void> {
  await Promise.all([...running].map((command) => command.kill('SIGTERM')));
}

/**
 * A command in this process, with everything but the process itself: arguments, outputs, signals and exit code. For what needs
 * neither standard input nor a terminal that is not there.
 */
export class CommandHere {
  stdout = '';
  stderr = '';
  readonly exited: Promise<number>;
  readonly #ending = new AbortController();
  #onOutput: () => void = () => undefined;

  /** @param carriedOut what is done; by default what the arguments say */
  constructor(
    args: readonly string[],
    settings: Readonly<Record<string, string>>,
    carriedOut: (context: Context) => Promise<number> = carryOutArguments,
  ) {
    const { signal } = this.#ending;
    const stdout = new Writable({
      decodeStrings: false,
      write: (text: string, _encoding, done) => {
        this.#took('stdout', text);
        done();
      },
    });
    this.exited = carriedOut({
      args,
      environment: {
        ...scriptEnvironment({}),
        HOME: home,
        XDG_CONFIG_HOME: '',
        XDG_DATA_HOME: '',
        ...settings,
      },
      output: new Output(stdout, signal),
      say: (text) => this.#took('stderr', `milena: ${text.replaceAll('\n', '\nmilena: ')}\n`),
      interrupted: signal,
    }).finally(() => running.delete(this));
    running.add(this);
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

  /** As the first of such signals is taken. */
  kill(signal: EndingSignal): Promise<number> {
    this.#ending.abort(new Interrupted(signal));
    return this.exited;
  }

  #took(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
    this.#onOutput();
  }
}

async function carryOutArguments(context: Context): Promise<number> {
  try {
    const invocation = invocationOf(context.args);
    if (invocation.type !== 'command') throw new Error(`no command: ${context.args.join(' ')}`);
    return await carryOut(invocation.name, { ...context, args: invocation.args });
  } catch (error) {
    return codeFor(error, context.say);
  }
}
