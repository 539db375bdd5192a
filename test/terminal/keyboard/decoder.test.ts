import { describe, expect, test } from 'vitest';
import {
  ALT_MS,
  type Decoded,
  Decoder,
  ESCAPE_MS,
  PASTE_MS,
} from '../../../src/terminal/keyboard/decoder.ts';
import { MAX_PASTE_BYTES } from '../../../src/terminal/keyboard/paste.ts';
import { SEQUENCES } from './sequences.ts';

/** Longer than anything is waited for. */
const AFTER_ALL_MS = 60_000;

/** A decoder and the clock that it is told. */
class Typist {
  readonly decoder = new Decoder();
  now = 1_000;

  /** @param reads Latin-1, one read each @param gap between them */
  read(reads: readonly string[], gap = 0): Decoded[] {
    return reads.flatMap((bytes, index) => [
      ...(index === 0 ? [] : this.wait(gap)),
      ...this.decoder.push(Buffer.from(bytes, 'latin1'), this.now),
    ]);
  }

  /** What comes of time alone, at the moment that the decoder asked for. */
  wait(ms: number): Decoded[] {
    const until = this.now + ms;
    const events: Decoded[] = [];
    for (let due = this.decoder.dueAt; due !== null && due <= until; due = this.decoder.dueAt) {
      events.push(...this.decoder.tick(due));
    }
    this.now = until;
    return events;
  }

  end(): Decoded[] {
    return this.wait(AFTER_ALL_MS);
  }
}

/** Texts that came one after the other as one. */
function joined(events: readonly Decoded[]): Decoded[] {
  const all: Decoded[] = [];
  for (const event of events) {
    const last = all.at(-1);
    if (event.type === 'text' && last?.type === 'text')
      all[all.length - 1] = { type: 'text', text: last.text + event.text };
    else all.push(event);
  }
  return all;
}

const utf8 = (text: string) => Buffer.from(text).toString('latin1');
const typed = (text: string): Decoded => ({ type: 'text', text });
const key = (name: string): Decoded => ({ type: 'key', key: name });

describe.each([0, 10, 50, 200])('every sequence in two pieces or byte by byte, %i ms between', (gap) => {
  test.each(SEQUENCES)('%s', (_name, bytes, meaning) => {
    // Two Escapes as slow as a person's are two keys.
    const isApart = bytes.startsWith('\u001b\u001b') && gap > ALT_MS;
    for (let cut = isApart ? 2 : 1; cut <= bytes.length; cut++) {
      const typist = new Typist();
      const pieces = cut === bytes.length ? [bytes] : [bytes.slice(0, cut), bytes.slice(cut)];
      const events = [...typist.read(pieces, gap), ...typist.end()];
      expect(joined(events), `cut at ${cut}`).toEqual(meaning);
    }
    const typist = new Typist();
    const apart = isApart ? [bytes.slice(0, 2), ...bytes.slice(2)] : [...bytes];
    expect(joined([...typist.read(apart, gap), ...typist.end()])).toEqual(meaning);
  });
});

test('each sequence between texts leaves them alone', () => {
  for (const [name, bytes, meaning] of SEQUENCES) {
    const typist = new Typist();
    const events = [...typist.read([`ab${bytes}${utf8('čd')}`]), ...typist.end()];
    expect(joined(events), name).toEqual(joined([typed('ab'), ...meaning, typed('čd')]));
  }
});

test('Ctrl+C is one behind every beginning of a sequence, and what follows is typed', () => {
  for (const [name, bytes] of SEQUENCES) {
    // Within old mouse bytes and pastes it stands for itself unless it comes alone.
    for (let cut = 1; cut < bytes.length; cut++) {
      const typist = new Typist();
      typist.read([bytes.slice(0, cut)]);
      typist.wait(30);
      const events = [...typist.read(['\u0003', 'x'], 30), ...typist.end()];
      expect(events.slice(-2), `${name}, cut at ${cut}`).toEqual([key('ctrl+c'), typed('x')]);
    }
  }
});

test('a beginning without an end makes nobody deaf: three seconds later keys are keys', () => {
  for (const [name, bytes] of SEQUENCES) {
    for (let cut = 1; cut < bytes.length; cut++) {
      const typist = new Typist();
      typist.read([bytes.slice(0, cut)]);
      const left = typist.wait(3_001);
      expect(
        left.filter(({ type }) => type === 'text'),
        `${name}, cut at ${cut}`,
      ).toEqual([]);
      expect(typist.read(['x', '\r'], 30), `${name}, cut at ${cut}`).toEqual([typed('x'), key('enter')]);
    }
  }
});

describe('Escape', () => {
  test('alone, soon', () => {
    const typist = new Typist();
    expect(typist.read(['\u001b'])).toEqual([]);
    expect(typist.wait(ESCAPE_MS - 1)).toEqual([]);
    expect(typist.wait(1)).toEqual([key('escape')]);
  });

  test.each<[string, string[], number, Decoded[]]>([
    ['and a letter at once is Alt', ['\u001ba'], 0, [key('alt+a')]],
    ['and a letter nearly at once, too', ['\u001b', 'a'], ALT_MS, [key('alt+a')]],
    ['and a letter a moment later are two keys', ['\u001b', 'a'], ALT_MS + 1, [key('escape'), typed('a')]],
    ['and an arrow a moment later', ['\u001b', '\u001b[A'], 120, [key('escape'), key('up')]],
    ['twice', ['\u001b', '\u001b'], 120, [key('escape'), key('escape')]],
    ['and Enter a moment later', ['\u001b', '\r'], 120, [key('escape'), key('enter')]],
    ['and a bracket that nothing follows', ['\u001b', '['], 120, [key('escape'), typed('[')]],
    ['and a bracket at once is Alt', ['\u001b['], 0, [key('alt+[')]],
    ['and O at once is Alt', ['\u001bO'], 0, [key('alt+shift+o')]],
    ['O and what ends no sequence', ['\u001bOz'], 0, [key('alt+shift+o'), typed('z')]],
    ['a closing bracket and what no answer begins with', ['\u001b]x'], 0, [key('alt+]'), typed('x')]],
    ['P and what no answer begins with', ['\u001bPeter'], 0, [key('alt+shift+p'), typed('eter')]],
    ['_ and what no answer begins with', ['\u001b_x'], 0, [key('alt+_'), typed('x')]],
    ['and a letter of two bytes', [utf8('\u001bé')], 0, [key('alt+é')]],
    ['and Enter at once', ['\u001b\r'], 0, [key('alt+enter')]],
    ['and LF at once', ['\u001b\n'], 0, [key('alt+enter')]],
    ['and Backspace at once', ['\u001b\u007f'], 0, [key('alt+backspace')]],
    ['and a control key at once', ['\u001b\u0001'], 0, [key('ctrl+alt+a')]],
    ['and Ctrl+C', ['\u001b\u0003'], 0, [key('ctrl+c')]],
  ])('%s', (_name, reads, gap, events) => {
    const typist = new Typist();
    expect(joined([...typist.read(reads, gap), ...typist.end()])).toEqual(events);
  });
});

test('the rest of a sequence whose Escape came long before is no text', () => {
  for (const [name, bytes, meaning] of SEQUENCES) {
    const isOld =
      /^.\[M|200~|^.O[w5k1]|^.\]l|^.\[\[|^.[^[\]OP]/su.test(bytes) || bytes.charCodeAt(0) !== 0x1b;
    if (isOld) continue;
    const typist = new Typist();
    const events = [...typist.read([bytes.slice(0, 1), bytes.slice(1)], 1_000), ...typist.end()];
    expect(joined(events), name).toEqual(joined([key('escape'), ...meaning]));
  }
});

test('but what a person types behind Escape is', () => {
  for (const text of ['[', '[]', '[x]', 'OK', ']1', 'P', 'Peter', '[1', 'O']) {
    const typist = new Typist();
    const events = [...typist.read(['\u001b', ...text], 400), ...typist.end()];
    expect(joined(events), text).toEqual([key('escape'), typed(text)]);
  }
});

describe('a paste that is not ended', () => {
  test('ends when nothing more comes', () => {
    const typist = new Typist();
    expect(typist.read(['\u001b[200~abc'])).toEqual([]);
    expect(typist.wait(PASTE_MS - 1)).toEqual([]);
    expect(typist.wait(1)).toEqual([{ type: 'paste', text: 'abc' }, { type: 'unended-paste' }]);
    expect(typist.read(['x'])).toEqual([typed('x')]);
  });

  test('is left by Ctrl+C at once', () => {
    const typist = new Typist();
    typist.read(['\u001b[200~abc']);
    typist.wait(100);
    expect(typist.read(['\u0003'])).toEqual([{ type: 'paste', text: 'abc' }, key('ctrl+c')]);
  });

  test('keeps a Ctrl+C that came with the rest of it', () => {
    expect(new Typist().read(['\u001b[200~a\u0003b\u001b[201~'])).toEqual([
      { type: 'paste', text: 'a\u0003b' },
    ]);
  });

  test('holds so much and no more, and its end is found all the same', () => {
    const typist = new Typist();
    typist.read(['\u001b[200~']);
    for (let count = 0; count < 20; count++) typist.read(['y'.repeat(MAX_PASTE_BYTES / 8)]);
    const events = typist.read(['\u001b[201~z']);
    expect(events).toEqual([{ type: 'paste', text: 'y'.repeat(MAX_PASTE_BYTES) }, typed('z')]);
  });

  test('may not have begun', () => {
    const typist = new Typist();
    typist.read(['\u001b[200~']);
    expect(typist.wait(PASTE_MS)).toEqual([{ type: 'unended-paste' }]);
  });

  test('has an end that comes too late, which is no text', () => {
    const typist = new Typist();
    typist.read(['\u001b[200~abc']);
    typist.wait(PASTE_MS);
    expect(typist.read(['def\u001b[201~'])).toEqual([typed('def'), { type: 'stray-paste-end' }]);
  });
});

describe('plain keys', () => {
  test.each<[string, string, Decoded[]]>([
    [
      'control keys',
      '\u0001\u001a\u001c\u001d\u001e\u001f',
      ['a', 'z', '\\', ']', '^', '_'].map((name) => key(`ctrl+${name}`)),
    ],
    [
      'those with names of their own',
      '\t\r\b\u007f\u0000',
      ['tab', 'enter', 'backspace', 'backspace', 'ctrl+space'].map(key),
    ],
    ['LF is Ctrl+J', '\n', [key('ctrl+j')]],
    ['CR and LF are one Enter', '\r\n', [key('enter')]],
    ['LF and CR are two', '\n\r', [key('ctrl+j'), key('enter')]],
    ['characters of any length', utf8('aé漢👩‍👩‍👧'), [typed('aé漢👩‍👩‍👧')]],
    ['bytes that are no UTF-8', '\u00ffa\u00c3b', [typed('\ufffda\ufffdb')]],
  ])('%s', (_name, bytes, events) => {
    const typist = new Typist();
    expect(joined(typist.read([bytes]))).toEqual(events);
    expect(joined(new Typist().read([...bytes]))).toEqual(events);
  });

  test('Ctrl+C behind half a character', () => {
    expect(new Typist().read(['\u00e2\u0082', '\u0003'], 30)).toEqual([typed('\ufffd'), key('ctrl+c')]);
  });
});
