/** An address in a text: where it stands, and what it leads to. */
export interface UrlSpan {
  readonly start: number;
  readonly end: number;
  readonly url: string;
}

const URL_IN_TEXT = /\bhttps?:\/\/[^\s<>"`]+/gi;
/** What stands behind an address in a sentence, and not in it. */
const SENTENCE_END = ".,;:!?'’»”";
const OPENING: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };
const BRACKET = /[()[\]{}]/g;
/** Terminals drop longer ones (VTE's bound, which others have taken over). */
const MAX_URL_BYTES = 2_083;
/** With what may stand behind it in a sentence. */
const MAX_FOUND = MAX_URL_BYTES + 100;
/** Looked at in one text: what a person would follow is not behind the hundredth. */
const MAX_LINKS = 100;

/** The addresses in a text, in their order: a hundred at most. @param text safe for a terminal */
export function findLinks(text: string): UrlSpan[] {
  if (!text.includes('://')) return [];
  const links: UrlSpan[] = [];
  for (const { 0: found, index: start } of text.matchAll(URL_IN_TEXT)) {
    // To look for the end of what is far too long would take longer the longer it is.
    if (found.length > MAX_FOUND) continue;
    const shown = withoutSentence(found);
    const url = addressOf(shown);
    if (url !== null) links.push({ start, end: start + shown.length, url });
    if (links.length === MAX_LINKS) break;
  }
  return links;
}

/** Where an address leads to, where that is not what it seems to begin with: a name in front of an @, letters beyond ASCII. */
export function otherHost(url: string): string | null {
  const { host, hostname } = new URL(url);
  const [, seeming = ''] = /^https?:\/\/([^/?#]*)/i.exec(url) ?? [];
  const bare = seeming.toLowerCase().replace(/:\d*$/, '');
  return bare === hostname ? null : host;
}

/** Without what ends the sentence or the bracket around it. */
function withoutSentence(found: string): string {
  // Counted once: to do so for each sign that is taken off would take longer the longer it is.
  const counts = new Map<string, number>();
  for (const [bracket] of found.matchAll(BRACKET)) counts.set(bracket, (counts.get(bracket) ?? 0) + 1);
  let end = found.length;
  for (; end > 0; end -= 1) {
    const last = found.charAt(end - 1);
    if (SENTENCE_END.includes(last)) continue;
    const opening = OPENING[last];
    if (opening === undefined) break;
    const closed = counts.get(last) ?? 0;
    if ((counts.get(opening) ?? 0) >= closed) break;
    counts.set(last, closed - 1);
  }
  return found.slice(0, end);
}

/**
 * As it goes into an escape sequence or to another program: of printable ASCII alone, and without what some programs take
 * for the end of the server's name and others do not; null where it is no address.
 */
function addressOf(shown: string): string | null {
  const url = shown.replace(/[^\u0021-\u007e]|\\/gu, encodeURIComponent);
  return url.length > MAX_URL_BYTES || !URL.canParse(url) ? null : url;
}
