import { type Term, tokensOf } from './terms.ts';

/** Longer ones are cut; so many words a person types at most. */
const MAX_CHARACTERS = 256;
const MAX_TERMS = 16;
/** Of time as machines count it. Years of two digits mean others to JavaScript. */
const FIRST_YEAR = 1970;

/** What is looked for in a history: messages that have all of it. */
export interface Search {
  /** As it was entered. */
  readonly entered: string;
  /** None: whatever the text is. */
  readonly terms: readonly Term[];
  /** Who wrote it: a name in any case, or `own` for whoever's history it is; null: anybody. */
  readonly from: string | { readonly own: string } | null;
  /** With whom the conversation is, or which room, in any case; null: with anybody. */
  readonly within: string | null;
  /** When it was sent, in milliseconds since the epoch: not before the one, and before the other; null: whenever. */
  readonly after: number | null;
  readonly before: number | null;
}

/** What a search has found, newest first: the first ones, and how many there are in all. */
export interface Found<Message> {
  readonly search: Search;
  readonly count: number;
  readonly messages: readonly Message[];
}

/** A filter without what it takes, as before a blank. */
const FILTER_ALONE = /^(?:from|in|before|after):$/i;
const EXAMPLES: Readonly<Record<string, string>> = {
  'from:': 'from:bob',
  'in:': 'in:bob or in:#ops',
  'before:': 'before:yesterday',
  'after:': 'after:2026-11-21',
};

const PIECE = /(?:(?<filter>from|in|before|after):)?(?:"(?<quoted>[^"]*)"?|(?<bare>\S+))/giu;

/**
 * Reads what a person looks for: words that begin so, "words as they stand", and `from:NAME` (or `from:me`), `in:NAME`,
 * `before:DAY`, `after:DAY`, of which the last one of a kind counts. A day is `2026-11-21`, `2026-11`, `2026`, `today` or
 * `yesterday`, in the time zone of this machine; `after` takes it in, `before` does not.
 *
 * @param account whose history it is
 * @param now milliseconds since the epoch
 * @returns a sentence where nothing can be looked for: what is wrong
 */
export function parseSearch(entered: string, account: string, now: number): Search | string {
  const terms: Term[] = [];
  let search: Search = { entered, terms, from: null, within: null, after: null, before: null };
  for (const { groups = {} } of entered.slice(0, MAX_CHARACTERS).toWellFormed().matchAll(PIECE)) {
    const { filter, quoted, bare } = groups;
    const value = quoted ?? bare ?? '';
    switch (filter?.toLowerCase()) {
      case 'from':
        search = { ...search, from: isOwn(value, account) ? { own: account } : withoutAt(value) };
        break;
      case 'in':
        search = { ...search, within: withoutAt(value) };
        break;
      case 'before':
      case 'after': {
        const day = startOf(value.toLowerCase(), now);
        if (day === null) {
          return `${filter}: takes a day such as 2026-11-21, a month (2026-11), a year, today or yesterday.`;
        }
        search = { ...search, [filter.toLowerCase()]: day };
        break;
      }
      default: {
        if (bare !== undefined && FILTER_ALONE.test(bare)) {
          return `${bare.toLowerCase()} takes ${/[mn]:$/i.test(bare) ? 'a name' : 'a day'} right behind it, such as ${EXAMPLES[bare.toLowerCase()]}.`;
        }
        const tokens = tokensOf(value);
        if (tokens.length > 0) terms.push({ tokens, isWhole: quoted !== undefined });
      }
    }
  }
  terms.splice(MAX_TERMS);
  const { from, within, after, before } = search;
  const isFiltered = from !== null || within !== null || after !== null || before !== null;
  return terms.length > 0 || isFiltered
    ? search
    : 'Letters and digits make words: nothing else can be found.';
}

/**
 * What stands behind SELECT's columns, for the messages with ids `:oldest` to `:newest`. Words are looked up first:
 * SQLite might begin with the messages.
 */
export function searchSql({ terms, from, within, after, before }: Search): {
  readonly sql: string;
  readonly values: Readonly<Record<string, string | number>>;
} {
  const hasWords = terms.length > 0;
  const tables = hasWords ? 'words CROSS JOIN messages m ON m.id = words.rowid' : 'messages m';
  const where = [`${hasWords ? 'words.rowid' : 'm.id'} BETWEEN :oldest AND :newest`];
  const values: Record<string, string | number> = {};
  const add = (condition: string, name: string, value: string | number) => {
    where.push(condition);
    values[name] = value;
  };
  if (hasWords) add('words MATCH :words', 'words', matchExpression(terms));
  // What one sent to oneself is one's own in both directions.
  if (typeof from === 'string')
    add('m.fate IS NULL AND coalesce(m.author, c.name) = :from COLLATE NOCASE', 'from', from);
  else if (from !== null) add("(m.fate IS NOT NULL OR c.kind = 'user' AND c.name = :own)", 'own', from.own);
  if (within !== null) add('c.name = :within COLLATE NOCASE', 'within', within);
  if (after !== null) add('m.at >= :after', 'after', after);
  if (before !== null) add('m.at < :before', 'before', before);
  return {
    sql: `FROM ${tables} CROSS JOIN conversations c ON c.id = m.conversation WHERE ${where.join(' AND ')}`,
    values,
  };
}

/** As FTS5 reads it. There are only letters and digits in a token, so nothing in it is syntax. */
function matchExpression(terms: readonly Term[]): string {
  return terms.map(({ tokens, isWhole }) => `"${tokens.join(' ')}"${isWhole ? '' : '*'}`).join(' ');
}

function isOwn(written: string, account: string): boolean {
  return written.toLowerCase() === 'me' || withoutAt(written).toLowerCase() === account.toLowerCase();
}

/** Whoever writes `@bob` means bob; and `@me` is a user of that name. */
function withoutAt(written: string): string {
  return written.replace(/^@/, '');
}

/** When the day begins, in local time; null for what is none. */
function startOf(written: string, now: number): number | null {
  const today = new Date(now);
  const [year, month, day] = [today.getFullYear(), today.getMonth(), today.getDate()];
  if (written === 'today') return new Date(year, month, day).getTime();
  if (written === 'yesterday') return new Date(year, month, day - 1).getTime();
  const [, ...parts] = /^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?$/.exec(written) ?? [];
  if (parts[0] === undefined) return null;
  const [inYear = 0, inMonth = 1, onDay = 1] = parts.map((part) => (part === undefined ? 1 : Number(part)));
  if (inYear < FIRST_YEAR) return null;
  const date = new Date(inYear, inMonth - 1, onDay);
  // Where there is no such day, it is another one by now.
  return date.getMonth() === inMonth - 1 && date.getDate() === onDay ? date.getTime() : null;
}
