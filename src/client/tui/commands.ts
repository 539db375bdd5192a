import { ProtocolError } from '../../protocol/errors.ts';
import { parsePattern, parseUsername } from '../../protocol/names.ts';

/** What a line that a person entered asks for. */
export type Command =
  | { readonly type: 'create'; readonly name: string }
  | { readonly type: 'login'; readonly name: string }
  | { readonly type: 'logout' | 'delete' | 'passwd' | 'retrieve' | 'help' | 'quit' | 'nothing' }
  /** Without a name: shows who is blocked. */
  | { readonly type: 'block'; readonly name: string | null }
  | { readonly type: 'unblock'; readonly name: string }
  | { readonly type: 'who'; readonly names: readonly string[] }
  | { readonly type: 'list'; readonly pattern: string }
  /** Text for somebody; empty text only turns to them. */
  | { readonly type: 'message'; readonly to: string; readonly text: string }
  /** Text for the current conversation. */
  | { readonly type: 'say'; readonly text: string }
  | { readonly type: 'mistake'; readonly text: string };

type Usage = readonly [usage: string, does: string];

/** What only version 2 of the protocol can do. */
const ONLY_2: readonly Usage[] = [
  ['/passwd', 'change your password'],
  ['/who NAME…', 'which of them are logged in'],
  ['/block [NAME]', 'take no messages from NAME; without one: who is blocked'],
  ['/unblock NAME', 'take messages from NAME again'],
];

const COMMANDS: readonly Usage[] = [
  ['/create NAME', 'make an account and log in to it'],
  ['/login NAME', 'log in'],
  ['/msg NAME TEXT', 'send TEXT to NAME and go on talking to NAME'],
  ['TEXT', 'send it to whom you talk to (//TEXT if it begins with /)'],
  ['/list [PATTERN]', 'accounts; * is any characters, ? any one'],
  ['/retrieve', 'fetch what came while you were logged out'],
  ['/logout', 'log out'],
  ['/delete', 'delete the account you are logged in to'],
  ['/quit', 'leave, as does Ctrl+C'],
];

/** For /help: what to type, and what it does. */
export function commandsOf(protocol: 1 | 2): readonly Usage[] {
  return protocol === 1 ? COMMANDS : COMMANDS.toSpliced(-3, 0, ...ONLY_2);
}

/** Reads one entered line. Never throws: what cannot be read is a `mistake` with a sentence about it. */
export function parseCommand(line: string): Command {
  const text = line.trim();
  if (text === '') return { type: 'nothing' };
  if (text.startsWith('//')) return { type: 'say', text: text.slice(1) };
  if (!text.startsWith('/')) return { type: 'say', text };
  const { word, rest } = firstWord(text);
  try {
    return command(word.toLowerCase(), rest);
  } catch (error) {
    if (error instanceof ProtocolError) return { type: 'mistake', text: error.message };
    throw error;
  }
}

function command(word: string, rest: string): Command {
  switch (word) {
    case '/create':
      return rest === '' ? usage('/create NAME') : { type: 'create', name: parseUsername(rest) };
    case '/login':
      return rest === '' ? usage('/login NAME') : { type: 'login', name: parseUsername(rest) };
    case '/list':
      return { type: 'list', pattern: parsePattern(rest) };
    case '/msg': {
      if (rest === '') return usage('/msg NAME TEXT');
      const to = firstWord(rest);
      return { type: 'message', to: parseUsername(to.word), text: to.rest };
    }
    case '/who':
      if (rest === '') return usage('/who NAME…');
      return { type: 'who', names: rest.split(/[\s,;]+/u).map(parseUsername) };
    case '/block':
      return { type: 'block', name: rest === '' ? null : parseUsername(rest) };
    case '/unblock':
      return rest === '' ? usage('/unblock NAME') : { type: 'unblock', name: parseUsername(rest) };
    case '/logout':
    case '/passwd':
    case '/delete':
    case '/retrieve':
    case '/help':
    case '/quit': {
      const type = word.slice(1) as 'logout' | 'delete' | 'passwd' | 'retrieve' | 'help' | 'quit';
      return rest === '' ? { type } : usage(word);
    }
    default:
      return { type: 'mistake', text: `There is no command ${word}. /help shows them all.` };
  }
}

function usage(text: string): Command {
  return { type: 'mistake', text: `Usage: ${text}` };
}

function firstWord(text: string): { word: string; rest: string } {
  const match = /^(\S+)\s*(.*)$/su.exec(text);
  return { word: match?.[1] ?? '', rest: match?.[2] ?? '' };
}
