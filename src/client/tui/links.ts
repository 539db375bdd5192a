import { placesOf, type Range, type Term } from '../history/terms.ts';
import { hash } from './hash.ts';
import { type Role, type Span, span } from './rows.ts';

interface Link extends Range {
  readonly url: string;
}

const URL_IN_TEXT = /\bhttps?:\/\/[^\s<>"`]+/gi;
/** What stands behind an address in a sentence, and not in it. */
const SENTENCE_END = /[.,;:!?'’»”]+$/u;
/** Terminals drop longer ones (VTE's bound, which others have taken over). */
const MAX_URL_BYTES = 2_083;
/** Looked at in one text: what a person would follow is not behind the hundredth. */
const MAX_LINKS = 100;

/**
 * Rows of a text with its addresses as links, whole ones though they may go over several rows, and with what was looked for.
 * @param rows what `wrapText` made of `text`: pieces of it in their order
 * @param text of several lines, safe for a terminal
 */
export function linkedRows(
  rows: readonly string[],
  text: string,
  role: Role,
  terms: readonly Term[] = [],
): Span[][] {
  const links = findLinks(text);
  const places = [...placesOf(text, terms)];
  if (links.length === 0 && places.length === 0) return rows.map((row) => [span(row, role)]);
  let at = 0;
  return rows.map((row) => {
    const start = Math.max(at, text.indexOf(row, at));
    at = start + row.length;
    return pieces(row, start, links, places, role);
  });
}

/** The row in pieces: another one begins wherever a link or something found begins or ends. */
function pieces(
  row: string,
  start: number,
  links: readonly Link[],
  places: readonly Range[],
  role: Role,
): Span[] {
  const inRow = (range: Range) => range.start < start + row.length && range.end > start;
  const [linksHere, placesHere] = [links.filter(inRow), places.filter(inRow)];
  const edges = [...linksHere, ...placesHere].flatMap((range) => [range.start - start, range.end - start]);
  const cuts = new Set([0, ...edges.filter((edge) => edge > 0 && edge < row.length)]);
  const starts = [...cuts].sort((one, other) => one - other);
  return starts.map((from, index) => {
    const has = (range: Range) => range.start - start <= from && range.end - start > from;
    const link = linksHere.find(has);
    const text = row.slice(from, starts[index + 1]);
    const here = placesHere.some(has) ? 'found' : role;
    return link === undefined ? span(text, here) : { text, role: here, link: link.url };
  });
}

function findLinks(text: string): Link[] {
  if (!text.includes('://')) return [];
  const links: Link[] = [];
  for (const { 0: found, index: start } of text.matchAll(URL_IN_TEXT)) {
    const shown = withoutSentence(found);
    const url = addressOf(shown);
    if (url !== null) links.push({ start, end: start + shown.length, url });
    if (links.length === MAX_LINKS) break;
  }
  return links;
}

/** Without what ends the sentence or the bracket around it. */
function withoutSentence(found: string): string {
  let url = found;
  for (;;) {
    const shorter = url.replace(SENTENCE_END, '');
    const last = shorter.at(-1) ?? '';
    const opening = { ')': '(', ']': '[', '}': '{' }[last];
    const isOpenedBefore = opening === undefined || count(shorter, opening) >= count(shorter, last);
    const next = isOpenedBefore ? shorter : shorter.slice(0, -1);
    if (next === url) return url;
    url = next;
  }
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

/** As it goes into an escape sequence or to another program: of printable ASCII alone; null where it is no address. */
function addressOf(shown: string): string | null {
  if (!URL.canParse(shown)) return null;
  const url = shown.replace(/[^\u0021-\u007e]/gu, encodeURIComponent);
  return url.length > MAX_URL_BYTES ? null : url;
}

/** A text as a link, by OSC 8. The id holds the pieces of one address together where it goes over several rows. */
export function asLink(text: string, url: string): string {
  return `\u001b]8;id=${hash(url).toString(36)};${url}\u001b\\${text}\u001b]8;;\u001b\\`;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether the terminal is one that knows links; others show the sequence's text or nothing of it. Known by what terminals say of
 * themselves in the environment: kitty, WezTerm, iTerm2, Ghostty, foot, Alacritty, Konsole, Windows Terminal, VS Code, and
 * VTE from 0.50 on (GNOME Terminal and its relatives). Within tmux and screen nobody knows, so there it is said by a setting.
 */
export function knowsLinks(env: Environment): boolean {
  const { TERM = '', TERM_PROGRAM = '', VTE_VERSION = '' } = env;
  if (/^(?:tmux|screen|linux|dumb)/.test(TERM) || env.TMUX) return false;
  if (/^(?:xterm-kitty|xterm-ghostty|foot|alacritty|wezterm)/.test(TERM)) return true;
  if (/^(?:iTerm\.app|WezTerm|vscode|ghostty|Hyper|rio)$/.test(TERM_PROGRAM)) return true;
  return (
    Boolean(env.WT_SESSION || env.KONSOLE_VERSION || env.KITTY_WINDOW_ID) || Number(VTE_VERSION) >= 5_000
  );
}
