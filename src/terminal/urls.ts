/** An address in a text: where it stands, and what it leads to. */
export interface Link {
  readonly start: number;
  readonly end: number;
  readonly url: string;
}

const URL_IN_TEXT = /\bhttps?:\/\/[^\s<>"`]+/gi;
/** What stands behind an address in a sentence, and not in it. */
const SENTENCE_END = /[.,;:!?'’»”]+$/u;
/** Terminals drop longer ones (VTE's bound, which others have taken over). */
const MAX_URL_BYTES = 2_083;
/** With what may stand behind it in a sentence. */
const MAX_FOUND = MAX_URL_BYTES + 100;
/** Looked at in one text: what a person would follow is not behind the hundredth. */
const MAX_LINKS = 100;

/** The addresses in a text, in their order: a hundred at most. @param text safe for a terminal */
export function findLinks(text: string): Link[] {
  if (!text.includes('://')) return [];
  const links: Link[] = [];
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

/**
 * As it goes into an escape sequence or to another program: of printable ASCII alone, and without what some programs take
 * for the end of the server's name and others do not; null where it is no address.
 */
function addressOf(shown: string): string | null {
  const url = shown.replace(/[^\u0021-\u007e]|\\/gu, encodeURIComponent);
  return url.length > MAX_URL_BYTES || !URL.canParse(url) ? null : url;
}
