import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { OnAnswer, SaidLink } from '../../../src/terminal/chat/display.ts';
import { LongWork } from '../../../src/terminal/chat/long-work.ts';
import { Outside, type OutsideOptions } from '../../../src/terminal/chat/outside.ts';
import { Clipboard, type ClipboardChoice, MAX_COPIED_BYTES } from '../../../src/terminal/clipboard.ts';
import { History } from '../../../src/terminal/history/history.ts';
import { sanitiseText } from '../../../src/terminal/sanitise.ts';
import { turnsDuring } from './turns.ts';

const BOB = { kind: 'user', name: 'bob' } as const;
const CAROL = { kind: 'user', name: 'carol' } as const;
let history: History;
/** So many addresses have room where they are shown. */
const SEEN = 150;
let key = 0;
const said: string[] = [];
const asked: OnAnswer[] = [];
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
    ask: (_: unknown, answered: OnAnswer) => void asked.push(answered),
  };
  const links = (list: readonly SaidLink[], canOpen: boolean) => {
    shown.push({ links: list, canOpen });
    return Math.min(list.length, SEEN);
  };
  return new Outside(speaker, { links }, new LongWork({ working: () => undefined }), options);
}

function clipboard(choice: ClipboardChoice): Clipboard {
  const write = (bytes: string) => void written.push(bytes);
  return new Clipboard({ choice, directory: null, isInTmux: false, write });
}

/** What was written to the clipboard. */
const copied = () =>
  written.map((bytes) => Buffer.from(bytes.slice('\u001b]52;c;'.length, -1), 'base64').toString());

/** The addresses that are shown. */
async function urls(): Promise<string[]> {
  await outside().open(history, BOB, null);
  return shown.at(-1)?.links.map(({ url }) => url) ?? [];
}

function opening(): { own: Outside; opened: string[] } {
  const opened: string[] = [];
  return { own: outside({ opener: (url) => void opened.push(url) }), opened };
}

describe('addresses', () => {
  test('are the newest first, each once, also of what one has said oneself', async () => {
    hears('http://one.example http://two.example', 'nothing', 'http://one.example!');
    history.sent({
      messageId: 'aa',
      to: 'bob',
      at: 2,
      body: 'https://mine.example',
      fate: { kind: 'stored' },
    });
    expect(await urls()).toEqual(['https://mine.example', 'http://one.example', 'http://two.example']);
  });

  test('are those that the screen shows', async () => {
    hears('http://a.example/\u001b[31mx\u202e http://b.example/\u200bc');
    expect(await urls()).toEqual(['http://b.example/c', `http://a.example/${encodeURIComponent('␛')}[31mx`]);
    for (const url of await urls()) expect(url).toMatch(/^https?:\/\/[\u0021-\u007e]+$/);
  });

  test('are bounded in number', async () => {
    const many = Array.from({ length: 10_000 }, (_, index) => `http://a.b/${index}`).join(' ');
    hears(many, many.replaceAll('a.b', 'c.d'), many.replaceAll('a.b', 'e.f'));
    expect(await urls()).toHaveLength(200);
  });

  test('are looked for in so many messages', async () => {
    hears('http://old.example', ...Array.from({ length: 2_000 }, () => 'x'), 'http://new.example');
    expect(await urls()).toEqual(['http://new.example']);
  });

  test('are looked for in so many characters, and others have their turns meanwhile', async () => {
    const long = `http://a.example ${' '.repeat(190_000)}\u202e`;
    hears('http://old.example', ...Array.from({ length: 25 }, () => long));
    const before = vi.spyOn(history, 'before');
    const own = outside();
    expect(await turnsDuring(async () => own.open(history, BOB, null))).toBeGreaterThan(3);
    expect(shown.at(-1)?.links.map(({ url }) => url)).toEqual(['http://a.example']);
    expect(before.mock.calls.length).toBeLessThanOrEqual(3);
  });

  test('without any it says so', async () => {
    hears('hi');
    await expect(async () => outside().open(history, BOB, null)).rejects.toThrow(/no addresses/);
  });

  test('are there at once if there is little to look at, for a key that comes right behind', () => {
    hears('http://one.example', 'more', 'and more');
    const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
    const done = outside().open(history, BOB, null);
    clock.mockRestore();
    expect(done).toBeUndefined();
    expect(shown).toHaveLength(1);
  });

  test('are shown also if it is one alone; by a number they are opened', async () => {
    hears('http://one.example');
    const { own, opened } = opening();
    await own.open(history, BOB, null);
    expect(shown).toMatchObject([{ links: [{ url: 'http://one.example' }], canOpen: true }]);
    expect(opened).toEqual([]);
    await own.open(history, BOB, 1);
    expect(opened).toEqual(['http://one.example']);
    expect(() => own.open(history, BOB, 2)).toThrow(
      'There is only 1 address in the list: /open shows it anew.',
    );
  });

  test('keep their numbers when others come, until they are shown anew', async () => {
    hears('http://one.example');
    const { own, opened } = opening();
    await own.open(history, BOB, null);
    hears('http://evil.example');
    await own.open(history, BOB, 1);
    expect(opened).toEqual(['http://one.example']);
    await own.open(history, BOB, null);
    await own.open(history, BOB, 1);
    expect(opened).toEqual(['http://one.example', 'http://evil.example']);
  });

  test('are shown instead of opened where nobody has seen them', async () => {
    hears('http://one.example');
    history.received({ peer: CAROL, at: 1, body: 'http://two.example', key: 'carol' });
    const { own, opened } = opening();
    await own.open(history, BOB, 1);
    await own.open(history, CAROL, 1);
    await own.open(history, BOB, 1);
    expect(opened).toEqual([]);
    expect(shown.map(({ links }) => links[0]?.url)).toEqual([
      'http://one.example',
      'http://two.example',
      'http://one.example',
    ]);
    await own.open(history, BOB, 1);
    expect(opened).toEqual(['http://one.example']);
  });

  test('are not opened where they had no room', async () => {
    hears(...Array.from({ length: SEEN + 1 }, (_, index) => `http://a.example/${index}`));
    const { own, opened } = opening();
    await own.open(history, BOB, null);
    expect(() => own.open(history, BOB, SEEN + 1)).toThrow(`There are only ${SEEN} addresses in the list`);
    await own.open(history, BOB, SEEN);
    expect(opened).toEqual(['http://a.example/1']);
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
  test('takes the last block of code, also behind messages without', async () => {
    hears('```\nold\n```', '```\nnew\n```', 'thanks');
    await outside({ clipboard: clipboard('on') }).copyLast(history, BOB);
    expect(copied()).toEqual(['new']);
    expect(said).toEqual([expect.stringMatching(/Copied the last code block, 1 line,/)]);
  });

  test.each([
    ['```\r\nrm x\r\n```', 'rm x'],
    ['```\nrm x\n\n```', 'rm x'],
    ['```\nrm x\n\u200b\n```', 'rm x'],
    ['```\nrm x\n\u0007\n\u200d\n```', 'rm x'],
    ['\u2060```\na\n```\n\u200bb', 'a'],
  ])('of %j takes what is seen, and no line break at its end', async (body, code) => {
    hears(body);
    await outside({ clipboard: clipboard('on') }).copyLast(history, BOB);
    expect(copied()).toEqual([code]);
  });

  test('looks for code in so many characters, and others have their turns meanwhile', async () => {
    const long = `\`${'```a` \n'.repeat(30_000)}`;
    hears('```\nold\n```', ...Array.from({ length: 25 }, () => long), 'last');
    const before = vi.spyOn(history, 'before');
    const own = outside({ clipboard: clipboard('on') });
    expect(await turnsDuring(async () => own.copyLast(history, BOB))).toBeGreaterThan(3);
    expect(copied()).toEqual(['last']);
    expect(before.mock.calls.length).toBeLessThanOrEqual(4);
  });

  test('without code takes the last message; nothing of it acts where it is pasted', async () => {
    hears('a\r\n\tb\u001b[201~\u0007\u202e c\u009b1m');
    await outside({ clipboard: clipboard('on') }).copyLast(history, BOB);
    expect(copied()).toEqual(['a\n\tb[201~ c1m']);
  });

  test('takes what the screen shows: what is hidden there is not pasted either', () => {
    const own = outside({ clipboard: clipboard('on') });
    const hidden = 'pay\u200dpal\u200c.ex\ufe0fample\u200b\ufdd0 👩\u200d💻❤\ufe0f می\u200cخواهم\n\ta';
    own.copy(hidden, 'it');
    expect(copied()).toEqual(['paypal.example\ufffd 👩\u200d💻❤\ufe0f می\u200cخواهم\n\ta']);
    expect(copied()).toEqual([sanitiseText(hidden)]);
  });

  test('asks once, and does nothing without a yes', async () => {
    hears('x');
    const own = outside({ clipboard: clipboard('ask') });
    await own.copyLast(history, BOB);
    expect(said[0]).toMatch(/Type yes/);
    await asked[0]?.('no');
    await asked[0]?.(null);
    expect(written).toEqual([]);
    await own.copyLast(history, BOB);
    await asked[1]?.('yes');
    expect(copied()).toEqual(['x']);
    await own.copyLast(history, BOB);
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
