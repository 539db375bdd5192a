import { findLinks, type Link } from '../urls.ts';
import { hash } from './hash.ts';
import { type Role, type Span, span } from './rows.ts';

/**
 * Rows of a text with its addresses as links, whole ones though they may go over several rows.
 * @param rows what `wrapText` made of `text`: pieces of it in their order
 * @param text of several lines, safe for a terminal
 */
export function linkedRows(rows: readonly string[], text: string, role: Role): Span[][] {
  const links = findLinks(text);
  if (links.length === 0) return rows.map((row) => [span(row, role)]);
  let at = 0;
  return rows.map((row) => {
    const start = Math.max(at, text.indexOf(row, at));
    at = start + row.length;
    return linkedRow(row, start, links, role);
  });
}

function linkedRow(row: string, start: number, links: readonly Link[], role: Role): Span[] {
  const spans: Span[] = [];
  let done = 0;
  for (const link of links) {
    const [from, to] = [Math.max(link.start - start, done), Math.min(link.end - start, row.length)];
    if (from >= to) continue;
    if (from > done) spans.push(span(row.slice(done, from), role));
    spans.push({ text: row.slice(from, to), role, link: link.url });
    done = to;
  }
  if (done < row.length || spans.length === 0) spans.push(span(row.slice(done), role));
  return spans;
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
