import { ClientError, parseUsername } from '../../client/index.ts';
import type { Settings } from '../settings.ts';
import { quoted } from './arguments.ts';
import { EXIT, Failure } from './exit.ts';

/** A username as somebody gave it. @throws Failure `USAGE` */
export function usernameOf(text: string | undefined, usage: string): string {
  if (text === undefined) throw new Failure(EXIT.USAGE, `A name is missing: ${usage}`);
  try {
    return parseUsername(text);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    throw new Failure(EXIT.USAGE, `${quoted(text)} is no username. ${error.message}`, { cause: error });
  }
}

/** Whose account it is. @throws Failure `USAGE` */
export function userOf({ user, file }: Settings): string {
  if (user !== null) return user;
  throw new Failure(
    EXIT.USAGE,
    `Which account? Use --user NAME or MILENA_USER, or put "user": "NAME" into ${file}.`,
  );
}
