import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Answered, SaidLink } from '../../../src/terminal/chat/display.ts';
import {
  lastCode,
  MAX_LISTED,
  Outside,
  type OutsideOptions,
  saidLinks,
} from '../../../src/terminal/chat/outside.ts';
import { Clipboard, type ClipboardChoice, MAX_COPIED_BYTES } from '../../../src/terminal/clipboard.ts';
import { History } from '../../../src/terminal/history/history.ts';

const BOB = { kind: 'user', name: 'bob' } as const;
let history: History;
let key = 0;
const said: string[] = [];
const asked: Answered[] = [];
const shown: { links: readonly SaidLink[]; canOpen: boolean }[] = [];
const written: string[] = [];

beforeEach(() => {
  history = History.open({ directory: null, server: '127.0.0.1:1', account: 'anna' });
  for (const list of [said, asked, shown, written]) list.length = 0;
});
afterEach(() => history.close());

function hears(...bodies: readonly string[]): void {
  for (const body of bodies) history.received({ peer: BOB, at: 1, body, key: `k${key++}` });
}

function outside(options: OutsideOptions = {}): Outside {
  const speaker = {
    say: (kind: string, text: string) => void said.push(`${kind}: ${text}`),
    ask: (_: unknown, answered: Answered) => void asked.push(answered),
  };
  const links = (list: readonly SaidLink[], canOpen: boolean) => void shown.push({ links: list, canOpen });
  return new Outside(speaker, { links }, options);
}

function clipboard(choice: ClipboardChoice): Clipboard {
  const write = (bytes: string) => void written.push(bytes);
  return new Clipboard({ choice, directory: null, isInTmux: false, write });
}

/** What was written to the clipboard. */
const copied = () =>
  written.map((bytes) => Buffer.from(bytes.slice('\u001b]52;c;'.length, -1), 'base64').toString());

const urls = () => saidLinks(history, BOB).map(({ url }) => url);

describe('addresses', () => {
  test('are the newest first, each once, also of what one has said oneself', () => {
    hears('http://one.example http://two.example', 'nothing', 'http://one.example!');
    history.sent({
      messageId: 'aa',
      to: 'bob',
      at: 2,
      body: 'https://mine.example',
      fate: { kind: 'stored' },
    });
    expect(urls()).toEqual(['https://mine.example', 'http://one.example', 'http://two.example']);
  });

  test('are those that the screen shows', () => {
    hears('http://a.example/\u001b[31mx\u202e http://b.example/\u200bc');
    expect(urls()).toEqual(['http://b.example/c', `http://a.example/${encodeURIComponent('␛')}[31mx`]);
    for (const url of urls()) expect(url).toMatch(/^https?:\/\/[\u0021-\u007e]+$/);
  });

  test('are bounded in number and time', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => `http://a.b/${index}`).join(' ');
    hears(many, many.replaceAll('a.b', 'c.d'), many.replaceAll('a.b', 'e.f'));
    for (const sign of ['.', ')', ']', "'"]) hears(`https://x.example/${sign.repeat(60_000)}a`);
    const began = performance.now();
    expect(urls()).toHaveLength(MAX_LISTED);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test('without any it says so', () => {
    hears('hi');
    expect(() => outside().open(history, BOB, null)).toThrow(/no addresses/);
  });

  test('are shown also if it is one alone; by a number they are opened', () => {
    hears('http://one.example');
    const opened: string[] = [];
    const own = outside({ opener: (url) => void opened.push(url) });
    own.open(history, BOB, null);
    expect(shown).toMatchObject([{ links: [{ url: 'http://one.example' }], canOpen: true }]);
    expect(opened).toEqual([]);
    own.open(history, BOB, 1);
    expect(opened).toEqual(['http://one.example']);
    expect(() => own.open(history, BOB, 2)).toThrow('There is only one address here');
  });

  test('are told whole where nothing opens them, and copied if that is wanted', () => {
    outside({ clipboard: clipboard('off') }).openAddress('http://one.example');
    expect(said).toEqual([expect.stringMatching(/Nothing here opens addresses .*: http:\/\/one\.example$/)]);
    expect(written).toEqual([]);
    outside({ clipboard: clipboard('on') }).openAddress('http://one.example');
    expect(copied()).toEqual(['http://one.example']);
  });
});

describe('copying', () => {
  test('takes the last block of code, also behind messages without', () => {
    hears('```\nold\n```', '```\nnew\n```', 'thanks');
    expect(lastCode(history, BOB)).toBe('new');
    outside({ clipboard: clipboard('on') }).copyLast(history, BOB);
    expect(copied()).toEqual(['new']);
  });

  test('without code takes the last message; nothing of it acts where it is pasted', () => {
    hears('a\r\n\tb\u001b[201~\u0007\u202e c\u009b1m');
    outside({ clipboard: clipboard('on') }).copyLast(history, BOB);
    expect(copied()).toEqual(['a\n\tb[201~ c1m']);
  });

  test('asks once, and does nothing without a yes', async () => {
    hears('x');
    const own = outside({ clipboard: clipboard('ask') });
    own.copyLast(history, BOB);
    expect(said[0]).toMatch(/Type yes/);
    await asked[0]?.('no');
    await asked[0]?.(null);
    expect(written).toEqual([]);
    own.copyLast(history, BOB);
    await asked[1]?.('yes');
    expect(copied()).toEqual(['x']);
    own.copyLast(history, BOB);
    expect(asked).toHaveLength(2);
    expect(copied()).toEqual(['x', 'x']);
  });

  test('refuses what terminals do not take, before it asks', () => {
    const own = outside({ clipboard: clipboard('ask') });
    own.copy('a'.repeat(MAX_COPIED_BYTES), 'it');
    expect(asked).toHaveLength(1);
    expect(() => own.copy('a'.repeat(MAX_COPIED_BYTES + 1), 'it')).toThrow(
      /74 KiB, and terminals take 73 KiB/,
    );
    expect(() => outside().copy('a', 'it')).toThrow(/no clipboard/);
    expect(() => outside({ clipboard: clipboard('off') }).copy('a', 'it')).toThrow(/"clipboard" is off/);
  });

  test('says so where nothing was said', () => {
    expect(() => outside({ clipboard: clipboard('on') }).copyLast(history, BOB)).toThrow(/Nothing was said/);
  });
});
