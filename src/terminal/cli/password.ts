import { readFileSync, statSync } from 'node:fs';
import { PasswordCommandError, passwordFrom } from '../password-command.ts';
import type { Settings } from '../settings.ts';
import { USUALLY } from '../usual-password.ts';
import type { Context } from './context.ts';
import { EXIT, Failure } from './exit.ts';
import { TerminalPrompt } from './prompt.ts';

const OTHERS_MAY_READ = 0o004;

type Asking = Pick<Context, 'environment' | 'interrupted'>;

/**
 * The password of an account: from the file, the command, the environment, or the person at the terminal.
 * @throws Failure `USAGE` if there is none of them; Interrupted
 */
export async function passwordFor(account: string, settings: Settings, context: Asking): Promise<string> {
  const known = await knownPassword(account, settings, context);
  if (known !== null) return known;
  return prompted(context, (prompt) => nonEmpty(prompt, `Password of ${account}: `));
}

/** The password that nobody has to be asked for here; null if there is none. @throws Failure `USAGE`; Interrupted */
export async function knownPassword(
  account: string,
  { passwordFile, passwordCommand }: Settings,
  { environment, interrupted }: Asking,
): Promise<string | null> {
  if (passwordFile !== null) return passwordIn(passwordFile);
  if (passwordCommand === null) return environment.MILENA_PASSWORD || null;
  try {
    return await passwordFrom(passwordCommand, { user: account, hasTerminal: true, signal: interrupted });
  } catch (error) {
    if (!(error instanceof PasswordCommandError)) throw error;
    throw new Failure(EXIT.USAGE, error.message, { cause: error });
  }
}

/**
 * A password that is given for the first time, typed twice at a terminal.
 * @param known one that was given otherwise
 * @throws Failure `USAGE`, `DATA`; Interrupted
 */
export async function newPassword(account: string, known: string | null, context: Asking): Promise<string> {
  if (known !== null) return known;
  return prompted(context, async (prompt) => {
    const first = await nonEmpty(prompt, `New password for ${account} (${USUALLY}): `);
    const second = await prompt.secret('The same again: ');
    if (first !== second) throw new Failure(EXIT.DATA, 'They differ: nothing was done.');
    return first;
  });
}

/** The first line of a file that only its owner reads. @throws Failure `USAGE` */
export function passwordIn(file: string): string {
  let text: string;
  try {
    const stats = statSync(file);
    // A pipe, as a shell makes of <(command), belongs to nobody else in spite of its mode.
    if (stats.isFile() && (stats.mode & OTHERS_MAY_READ) !== 0) {
      throw new Failure(
        EXIT.USAGE,
        `Everybody on this machine can read the password in ${file}:  chmod 600 ${file}`,
      );
    }
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
          ? 'it is not UTF-8'
          : `it cannot be read (${code})`;
    throw new Failure(EXIT.USAGE, `The password file ${file}: ${why}.`, { cause: error });
  }
  const [line = ''] = text.split(/\r?\n/);
  if (line === '') throw new Failure(EXIT.USAGE, `The password file ${file}: its first line is empty.`);
  return line;
}

async function prompted<Value>(
  context: Asking,
  ask: (prompt: TerminalPrompt) => Promise<Value>,
): Promise<Value> {
  const prompt = TerminalPrompt.open(context);
  if (prompt === null) {
    throw new Failure(
      EXIT.USAGE,
      'There is no password, and no terminal to ask at: use --password-file FILE, --password-command COMMAND or ' +
        'MILENA_PASSWORD.',
    );
  }
  try {
    return await ask(prompt);
  } finally {
    prompt.close();
  }
}

async function nonEmpty(prompt: TerminalPrompt, question: string): Promise<string> {
  const password = await prompt.secret(question);
  if (password === '') throw new Failure(EXIT.USAGE, 'No password was given: nothing was done.');
  return password;
}
