import { ClientError } from '../../client/index.ts';
import { type Clipboard, MAX_COPIED_BYTES } from '../clipboard.ts';
import type { History } from '../history/history.ts';
import { isSame, type Peer, type StoredMessage } from '../history/types.ts';
import type { Opener } from '../opener.ts';
import { LINE_BREAK, MAX_SHOWN, sanitiseCopied, sanitiseText } from '../sanitise.ts';
import { findLinks } from '../urls.ts';
import { isYes } from '../yes.ts';
import type { Display, SaidLink, View } from './display.ts';
import type { LongWork } from './long-work.ts';
import { yesOrNo } from './questions.ts';
import { countOf } from './words.ts';

/** Addresses that are listed, the newest: nobody looks for one behind so many. */
const MAX_LISTED = 200;
/** How far back is looked: so many messages, or characters, whichever ends first. */
const MAX_LOOKED_AT = 2_000;
const MAX_CHARACTERS = 4 * 1024 * 1024;
const PAGE = 20;

/** What the chat can do with the world around it. */
export interface OutsideOptions {
  /** Null: nothing here opens addresses. */
  readonly opener?: Opener | null;
  /** Null: the terminal is none, or too simple for one. */
  readonly clipboard?: Clipboard | null;
}

/** Addresses as the person has seen them, by their numbers. */
interface Listed {
  readonly history: History;
  readonly peer: Peer;
  readonly urls: readonly string[];
}

type Speaker = Pick<Display, 'say' | 'ask'>;

/** What leaves the chat for other programs: addresses that are opened, texts that are copied. */
export class Outside {
  readonly #speaker: Speaker;
  readonly #view: Pick<View, 'links'>;
  readonly #work: Pick<LongWork, 'take'>;
  readonly #opener: Opener | null;
  readonly #clipboard: Clipboard | null;
  #listed: Listed | null = null;

  constructor(
    speaker: Speaker,
    view: Pick<View, 'links'>,
    work: Pick<LongWork, 'take'>,
    options: OutsideOptions,
  ) {
    this.#speaker = speaker;
    this.#view = view;
    this.#work = work;
    this.#opener = options.opener ?? null;
    this.#clipboard = options.clipboard ?? null;
  }

  /**
   * Shows the addresses, or opens one of those that were shown last: what has come since then has moved none of them. Without
   * such a list it is shown first.
   * @param number of the address, the newest is 1; null: shows them. @throws ClientError
   */
  open(history: History, peer: Peer, number: number | null): Promise<void> | void {
    const listed = this.#listed;
    if (number === null || listed?.history !== history || !isSame(listed.peer, peer)) {
      return this.#work.take(linkSteps(history, peer), lookedAt, (links) => this.#list(history, peer, links));
    }
    const url = listed.urls[number - 1];
    if (url === undefined) {
      const { length } = listed.urls;
      const there = length === 1 ? 'is only 1 address' : `are only ${length} addresses`;
      throw new ClientError('INVALID', `There ${there} in the list: /open shows it anew.`);
    }
    this.openAddress(url);
  }

  #list(history: History, peer: Peer, links: readonly SaidLink[]): void {
    if (links.length === 0) throw new ClientError('INVALID', 'There are no addresses in what was said here.');
    const seen = this.#view.links(links, this.#opener !== null);
    this.#listed = { history, peer, urls: links.slice(0, seen).map(({ url }) => url) };
  }

  /** An address that the person has seen. */
  openAddress(url: string): void {
    if (this.#opener !== null) {
      this.#speaker.say('info', `Opening ${url}`);
      this.#opener(url, (sentence) => this.#speaker.say('error', sentence));
      return;
    }
    this.#speaker.say('info', `Nothing here opens addresses (setting "open"): ${url}`);
    if (this.#clipboard !== null && this.#clipboard.isAllowed !== false) this.copy(url, 'the address');
  }

  /** The last block of code, or without any the last message. @throws ClientError */
  copyLast(history: History, peer: Peer): Promise<void> | void {
    const [newest] = history.before(peer, null, 1);
    if (newest === undefined) throw new ClientError('INVALID', 'Nothing was said here yet.');
    return this.#work.take(codeSteps(history, peer), lookedAt, (code) => {
      const text = code ?? sanitiseCopied(newest.body.slice(0, MAX_SHOWN));
      const what = code === null ? 'the last message' : 'the last code block';
      this.copy(text, `${what}, ${countOf(text.split('\n').length, 'line')}`);
    });
  }

  /** Copies a text, after a question if it is the first one. @param what for the sentence. @throws ClientError */
  copy(text: string, what: string): void {
    const clipboard = this.#clipboard;
    if (clipboard === null) throw new ClientError('INVALID', 'This terminal has no clipboard to copy to.');
    // What can act on a terminal does so in the one where it is pasted, too; what nobody saw here is not pasted either.
    const copied = sanitiseCopied(text);
    const bytes = Buffer.byteLength(copied);
    if (bytes > MAX_COPIED_BYTES) {
      const most = Math.floor(MAX_COPIED_BYTES / 1024);
      throw new ClientError(
        'INVALID',
        `That has ${Math.ceil(bytes / 1024)} KiB, and terminals take ${most} KiB at most: /export writes a file.`,
      );
    }
    if (clipboard.isAllowed === false) {
      throw new ClientError('INVALID', 'Nothing is copied: the setting "clipboard" is off.');
    }
    const copy = () => {
      clipboard.copy(copied);
      this.#speaker.say('info', `Copied ${what}, ${clipboard.isInTmux ? IN_TMUX : IF_TAKEN}.`);
    };
    if (clipboard.isAllowed) {
      copy();
      return;
    }
    this.#speaker.say('info', CONSENT);
    this.#speaker.ask(
      yesOrNo('write to the clipboard?', 'does, from now on unasked', 'does not'),
      (answer) => {
        if (!isYes(answer)) return this.#speaker.say('info', 'Nothing was copied.');
        clipboard.allow();
        copy();
      },
    );
  }
}

const CONSENT =
  'A terminal may let programs write to the clipboard, where every other program finds it. Type yes to copy that way.';
const IF_TAKEN = 'if this terminal lets programs do so';
const IN_TMUX = 'if tmux lets programs do so (set -s set-clipboard on) and the terminal around it';

function lookedAt(count: number): string {
  return `looked at ${countOf(count, 'message')}`;
}

/** The addresses of a conversation, each once, the newest first: the lowest on the screen. Each step is a message. */
function* linkSteps(history: History, peer: Peer): Generator<number, SaidLink[]> {
  const links = new Map<string, SaidLink>();
  let count = 0;
  for (const message of newestFirst(history, peer)) {
    if (message.body.includes('://')) {
      // The same text as on the screen, so that they are the same addresses.
      const text = sanitiseText(message.body.slice(0, MAX_SHOWN));
      for (const { url } of findLinks(text).reverse()) {
        if (!links.has(url)) links.set(url, { url, message });
        if (links.size === MAX_LISTED) return [...links.values()];
      }
    }
    count += 1;
    yield count;
  }
  return [...links.values()];
}

/** The last block of code of a conversation, as it was seen; null without any. Each step is a message. */
function* codeSteps(history: History, peer: Peer): Generator<number, string | null> {
  let count = 0;
  for (const { body } of newestFirst(history, peer)) {
    // Before the fences are looked for: what is hidden in front of one, or in the last line, would make it another block.
    const code = /[`~]/.test(body) ? lastCodeBlock(sanitiseCopied(body.slice(0, MAX_SHOWN))) : null;
    if (code !== null) return code;
    count += 1;
    yield count;
  }
  return null;
}

function* newestFirst(history: History, peer: Peer): IterableIterator<StoredMessage> {
  let characters = 0;
  let before: number | null = null;
  for (let count = 0; count < MAX_LOOKED_AT; ) {
    const page = history.before(peer, before, PAGE);
    if (page.length === 0) return;
    for (const message of page.toReversed()) {
      if (characters >= MAX_CHARACTERS) return;
      characters += message.body.length;
      yield message;
    }
    count += page.length;
    before = page[0]?.id ?? null;
  }
}

/** At most three blanks, then three signs or more; behind it the language, or anything else. */
const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/u;

/**
 * The last block of code between fences (``` or ~~~), without them and without the empty lines at its end: pasted in a shell, its last
 * line waits for Enter. One that is never closed goes to the end of the text, as in Markdown. Null: there is none.
 * @param text with line breaks of any kind, as the screen takes them; in the block they are LF
 */
export function lastCodeBlock(text: string): string | null {
  let last: readonly string[] | null = null;
  let open: { readonly fence: string; readonly lines: string[] } | null = null;
  for (const line of text.split(LINE_BREAK)) {
    const [, fence = '', behind = ''] = FENCE.exec(line) ?? [];
    if (open !== null) {
      if (fence.startsWith(open.fence) && behind.trim() === '') {
        last = withoutEmptyEnd(open.lines) ?? last;
        open = null;
      } else open.lines.push(line);
      // The info string of a backtick fence has no backtick (CommonMark).
    } else if (fence !== '' && !(fence.startsWith('`') && behind.includes('`'))) open = { fence, lines: [] };
  }
  if (open !== null) last = withoutEmptyEnd(open.lines) ?? last;
  return last?.join('\n') ?? null;
}

/** Null: nothing else is in it. */
function withoutEmptyEnd(lines: readonly string[]): readonly string[] | null {
  const end = lines.findLastIndex((line) => line.trim() !== '') + 1;
  return end === 0 ? null : lines.slice(0, end);
}
