import { childEnvironment } from './environment.ts';
import { killGroup } from './run-alone.ts';
import { sanitiseLine } from './sanitise.ts';

/** A person may have to find a key for it. */
const PATIENCE_MS = 60_000;
/** No password is longer; who prints more prints something else. */
const MAX_BYTES = 4_096;
const MAX_COMPLAINT = 2_048;
/** What it has printed may be read so long after its end; something that it left behind may keep its output open. */
const GRACE_MS = 500;

/** Why a command gave no password, as a sentence that is safe for a terminal. */
export class PasswordCommandError extends Error {
  override readonly name = 'PasswordCommandError';
}

export interface PasswordCommandOptions {
  /** The account, which the program finds in MILENA_USER. */
  readonly user: string;
  /** Whether it may ask at the terminal that this process has; otherwise it has none, and cannot draw over a screen. */
  readonly hasTerminal: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly patienceMs?: number;
}

/**
 * The first line that a program prints. It is run without a shell, with nothing to read, for a minute at most.
 * @throws PasswordCommandError; what aborts the signal
 */
export async function passwordFrom(
  [program = '', ...args]: readonly string[],
  { user, hasTerminal, signal, patienceMs = PATIENCE_MS }: PasswordCommandOptions,
): Promise<string> {
  signal?.throwIfAborted();
  const failed = (why: string) =>
    new PasswordCommandError(sanitiseLine(`The password command ${program}: ${why}.`));
  const { GPG_TTY, ...others } = childEnvironment();
  const env = hasTerminal && GPG_TTY !== undefined ? { ...others, GPG_TTY } : others;
  // Loaded only here: most who log in have no such program.
  const { spawn } = process.getBuiltinModule('node:child_process');
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, MILENA_USER: user },
    // In a session of its own there is no terminal, and everything that it has started can be ended together.
    detached: !hasTerminal,
  });
  const end = () => {
    if (hasTerminal || child.pid === undefined) child.kill('SIGKILL');
    else killGroup(child.pid);
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const printed: Buffer[] = [];
  let bytes = 0;
  let complaint = '';
  try {
    const code = await new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
      const late = () => settle(() => reject(failed(`no answer within ${patienceMs / 1_000} s`)));
      const timer = setTimeout(late, patienceMs);
      let grace: NodeJS.Timeout | undefined;
      const settle = (done: () => void) => {
        clearTimeout(timer);
        clearTimeout(grace);
        signal?.removeEventListener('abort', abort);
        done();
      };
      const abort = () => settle(() => reject(signal?.reason));
      signal?.addEventListener('abort', abort, { once: true });
      child.stdout.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_BYTES) settle(() => reject(failed('it prints more than a password')));
        else printed.push(chunk);
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        complaint = `${complaint}${text}`.slice(-MAX_COMPLAINT);
      });
      child.once('error', (error) => settle(() => reject(failed(whyNotRun(error)))));
      child.once('exit', (status, ended) => {
        grace = setTimeout(() => settle(() => resolve(status ?? ended)), GRACE_MS).unref();
      });
      child.once('close', (status, ended) => settle(() => resolve(status ?? ended)));
    });
    if (code !== 0) {
      const said = complaint.trim().split('\n').at(-1)?.trim().replace(/\.$/, '');
      const how = typeof code === 'number' ? `it ended with ${code}` : `it was ended by ${code}`;
      throw failed(said ? `${how}, and said: ${said}` : how);
    }
  } finally {
    end();
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(printed));
  } catch {
    throw failed('what it prints is not UTF-8');
  }
  const [line = ''] = text.split(/\r?\n/);
  if (line === '') throw failed('it prints no password');
  return line;
}

function whyNotRun(error: Error): string {
  const code = 'code' in error ? String(error.code) : error.message;
  if (code === 'ENOENT') return 'there is no such program';
  return code === 'EACCES' ? 'it may not be run' : `it cannot be run (${code})`;
}
