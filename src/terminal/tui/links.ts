import { type Environment, isInTmux } from '../environment.ts';
import { placesOf, type Range, type Term } from '../history/terms.ts';
import { findLinks, type UrlSpan } from '../urls.ts';
import { hash } from './hash.ts';
import { type Role, type Span, span } from './rows.ts';

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
  isHere = false,
): Span[][] {
  const links = findLinks(text);
  const places = [...placesOf(text, terms)];
  if (links.length === 0 && places.length === 0) return rows.map((row) => [span(row, role)]);
  let at = 0;
  return rows.map((row) => {
    const start = Math.max(at, text.indexOf(row, at));
    at = start + row.length;
    return pieces(
      row,
      start,
      within(links, start, at),
      within(places, start, at),
      role,
      isHere ? 'found-here' : 'found',
    );
  });
}

/** Those of sorted ranges that lie in a part of the text; what lies in front of it is taken out, as nobody asks for it again. */
function within<One extends Range>(ranges: One[], start: number, end: number): One[] {
  const passed = ranges.findIndex((range) => range.end > start);
  ranges.splice(0, passed < 0 ? ranges.length : passed);
  const behind = ranges.findIndex((range) => range.start >= end);
  return ranges.slice(0, behind < 0 ? ranges.length : behind);
}

/** The row in pieces: another one begins wherever a link or something found begins or ends. */
function pieces(
  row: string,
  start: number,
  links: readonly UrlSpan[],
  places: readonly Range[],
  role: Role,
  found: Role,
): Span[] {
  const edges = [...links, ...places].flatMap((range) => [range.start - start, range.end - start]);
  const cuts = new Set([0, ...edges.filter((edge) => edge > 0 && edge < row.length)]);
  const starts = [...cuts].sort((one, other) => one - other);
  return starts.map((from, index) => {
    const has = (range: Range) => range.start - start <= from && range.end - start > from;
    const link = links.find(has);
    const text = row.slice(from, starts[index + 1]);
    const here = places.some(has) ? found : role;
    return link === undefined ? span(text, here) : { text, role: here, link: link.url };
  });
}

/** A text as a link, by OSC 8. The id holds the pieces of one address together where it goes over several rows. */
export function asLink(text: string, url: string): string {
  return `\u001b]8;id=${hash(url).toString(36)};${url}\u001b\\${text}\u001b]8;;\u001b\\`;
}

/**
 * Whether the terminal is one that knows links; others show the sequence's text or nothing of it. Known by what terminals say of
 * themselves in the environment: kitty, WezTerm, iTerm2, Ghostty, foot, Alacritty, Konsole, Windows Terminal, VS Code, and
 * VTE from 0.50 on (GNOME Terminal and its relatives). Within tmux and screen nobody knows, so there it is said by a setting.
 */
export function knowsLinks(env: Environment): boolean {
  const { TERM = '', TERM_PROGRAM = '', VTE_VERSION = '' } = env;
  if (/^(?:tmux|screen|linux|dumb)/.test(TERM) || isInTmux(env)) return false;
  if (/^(?:xterm-kitty|xterm-ghostty|foot|alacritty|wezterm)/.test(TERM)) return true;
  if (/^(?:iTerm\.app|WezTerm|vscode|ghostty|Hyper|rio)$/.test(TERM_PROGRAM)) return true;
  return (
    Boolean(env.WT_SESSION || env.KONSOLE_VERSION || env.KITTY_WINDOW_ID) || Number(VTE_VERSION) >= 5_000
  );
}
