/**
 * Text that wants to act on a terminal, written into an inbox by some Kafka producer: the built client shows it in a
 * real terminal, where nothing but the cells of that message may change.
 */
import { randomInt } from 'node:crypto';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testBrokers } from '../broker/brokers.ts';
import { STORED_ONCE } from '../broker/stored-once.ts';
import { share } from '../size.ts';
import { closeClients, openAs, person, removeFolders, screenOf, WIDE } from './client-terminal.ts';
import { type FrontendHere, openFrontendHere } from './frontend-here.ts';
import { built } from './running-frontend.ts';
import { effectsOf, type TerminalState, type TestTerminal } from './terminal.ts';

const ESC = '\u001b';
const SEPARATOR = 20;
let frontend: FrontendHere;
let producer: Producer;
let ann: string;
let terminal: TestTerminal;
let before: { readonly state: TerminalState; readonly effects: readonly string[] };

beforeAll(async () => {
  await built();
  frontend = await openFrontendHere();
  producer = new Kafka({
    clientId: 'hostile',
    brokers: testBrokers(),
    logLevel: logLevel.NOTHING,
  }).producer(STORED_ONCE);
  await producer.connect();
  ann = person('ann');
  // Its own bell would be hard to tell from one that somebody else rang.
  terminal = await openAs(ann, frontend.address.port, { env: { MILENA_BELL: 'false' } });
  terminal.type('half a tho');
  await write('the first', 'x');
  // Both of its titles, and every way of drawing, are known by then.
  await terminal.shows(/^ [\d ] x +ext 1 │/m);
  terminal.type(`${ESC}1`);
  await terminal.shows(/ext x {2}the first$/m);
  await terminal.shows(/^ ›$/m);
  // What all the others are compared with must not be a screen that is half drawn.
  await terminal.settled();
  before = { state: terminal.state, effects: effectsOf(terminal.output) };
});

afterAll(async () => {
  closeClients();
  removeFolders();
  await producer?.disconnect();
  await frontend?.remove();
});

async function write(value: string | Buffer, key: string | Buffer): Promise<void> {
  await producer.send({ topic: `milena.inbox.${ann}`, messages: [{ key, value: Buffer.from(value) }] });
}

/** The rows beside the list, times made the same, from the top of the messages. */
function pane(): string[] {
  return screenOf(terminal, ann)
    .slice(2, -3)
    .map((row) => row.replace(/^[^│]*│/u, ''));
}

/** Up to there the output had nothing new in it, and ended with whole sequences: half of one would be something new. */
let looked = 0;

/** What the output has done to the terminal that it had not done before. */
function newEffects(): string[] {
  const { output } = terminal;
  const effects = effectsOf(output.slice(looked)).filter((effect) => !before.effects.includes(effect));
  if (effects.length === 0) looked = output.length;
  return effects;
}

/** Whatever came, everything around it is as it was. */
function expectIntact(): void {
  expect(terminal.state).toEqual(before.state);
  expect(newEffects()).toEqual([]);
  const rows = screenOf(terminal, ann);
  expect(rows).toHaveLength(WIDE.rows);
  expect(rows[0]).toBe(` milena · ann······  127.0.0.1:PPPPP${' '.repeat(35)}● online`);
  expect(rows[1]).toBe(`${'─'.repeat(SEPARATOR)}┬${'─'.repeat(59)}`);
  expect(rows.at(-3)).toBe(`${'─'.repeat(SEPARATOR)}┴${'─'.repeat(59)}`);
  expect(rows.slice(-2)).toEqual([
    ' ›',
    ' from a program: no answers · /msg NAME · Alt+A next unread · /help',
  ]);
  expect(terminal.cursor).toEqual({ column: 3, row: 22 });
  const body = terminal.column(SEPARATOR).slice(2, -3);
  expect(body).toEqual(Array(19).fill('│'));
  const left = rows.slice(2, -3).map((row) => row.split('│', 1)[0]?.trimEnd());
  expect(left).toEqual(['▸1 x            ext', ...Array<string>(18).fill('')]);
}

const first = (text: string) => ` hh:mm  ext x  ${text}`.trimEnd();
const more = (text: string) => (text === '' ? '' : `${' '.repeat(15)}${text}`);

/** @param shown its rows, the first one beside the name */
async function expectShown(value: string | Buffer, shown: readonly string[]): Promise<void> {
  // What came before is out of the way then.
  await write(value, 'x');
  const [top = '', ...rest] = shown;
  const rows = [first(top), ...rest.map(more)].slice(-19);
  await terminal.until(() => {
    expect(pane().slice(-rows.length)).toEqual(rows);
    expectIntact();
  });
}

describe('control characters', () => {
  test.each<[string, string, string]>([
    ['bell', 'a\u0007b', 'a␇b'],
    ['backspace', 'abc\b\b\bX', 'abc␈␈␈X'],
    ['null', 'a\0b', 'a␀b'],
    ['carriage return within a row', 'a\u000e\u000fb', 'a␎␏b'],
    ['delete', 'a\u007fb', 'a␡b'],
    ['enquiry, which terminals answer', '\u0005', '␅'],
    ['cancel and substitute', '\u0018\u001a', '␘␚'],
    ['tabs', 'a\tb\t\tc', 'a   b       c'],
    ['C1: CSI, OSC, DCS, string terminator, index', '\u009b31m\u009d0;x\u009c\u0090q\u0084', '�31m�0;x��q�'],
    ['C1: next line is a line break', 'a\u0085b', 'a'],
  ])('%s', async (name, value, shown) => {
    await expectShown(value, name.includes('line break') ? ['a', 'b'] : [shown]);
  });

  test('no other one acts either', async () => {
    const all = Array.from({ length: 32 }, (_, code) => code).filter(
      (code) => ![9, 10, 11, 12, 13].includes(code),
    );
    const pictures = all.map((code) => String.fromCharCode(0x2400 + code)).join('');
    await expectShown(`${String.fromCharCode(...all)}.`, [`${pictures}.`]);
    const high = Array.from({ length: 32 }, (_, index) => 0x80 + index).filter((code) => code !== 0x85);
    await expectShown(`${String.fromCharCode(...high)}!`, [`${'�'.repeat(31)}!`]);
  });
});

describe('escape sequences', () => {
  const SEQUENCES: [string, string][] = [
    ['cursor home and erase', '[H\u001b[2J\u001b[3J'],
    ['cursor up, and left, and there', '[9A\u001b[99D\u001b[5;5H'],
    ['save and restore the cursor', '7\u001b8\u001b[s\u001b[u'],
    ['hide the cursor', '[?25l'],
    ['the shape of the cursor', '[5 q'],
    ['scroll region', '[2;5r'],
    ['scroll, insert and delete lines', '[5S\u001b[5T\u001b[5L\u001b[5M'],
    ['reverse index', 'M\u001bD\u001bE'],
    ['colours', '[31;1;7mred\u001b[0m'],
    ['normal screen', '[?1049l\u001b[?47l'],
    ['alternate screen', '[?1049h'],
    ['mouse', '[?1000h\u001b[?1006h'],
    ['focus', '[?1004h'],
    ['wrap and origin', '[?7h\u001b[?6h'],
    ['insert mode', '[4h'],
    ['application keys', '[?1h\u001b='],
    ['bracketed paste off', '[?2004l'],
    ['the end of a paste', '[201~rm -rf /\r'],
    ['synchronised output that never ends', '[?2026h'],
    ['Kitty keyboard', '[>31u'],
    ['what are you', '[c\u001b[>c\u001b[6n\u001b[5n'],
    ['read the title', '[21t'],
    ['resize and move the window', '[8;10;10t\u001b[3;0;0t'],
    ['pop the title', '[23;2t'],
    ['title', ']0;owned\u0007'],
    ['title, ended otherwise', ']2;owned\u001b\\'],
    ['icon and folder', ']1;x\u0007\u001b]7;file:///etc\u0007'],
    ['palette', ']4;1;#ff0000\u0007'],
    ['foreground and background', ']10;#000000\u0007\u001b]11;?\u0007'],
    ['clipboard', ']52;c;cm0gLXJmIC8=\u0007'],
    ['read the clipboard', ']52;c;?\u0007'],
    ['hyperlink', ']8;;http://evil.example\u0007safe\u001b]8;;\u0007'],
    ['notification', ']9;hello\u0007\u001b]777;notify;a;b\u0007'],
    ['a picture', ']1337;File=inline=1:AAAA\u0007'],
    ['sixel', 'Pq#0;2;0;0;0~~\u001b\\'],
    ['read a setting', 'P$qm\u001b\\'],
    ['Kitty picture', '_Gf=24;AAAA\u001b\\'],
    ['privacy message and start of string', '^x\u001b\\\u001bXy\u001b\\'],
    ['full reset', 'c'],
    ['soft reset', '[!p'],
    ['line drawing', '(0qqq\u001b(B'],
    ['screen alignment', '#8'],
    ['a string that never ends', ']0;never'],
    ['a sequence that never ends', '[31;'],
  ];
  test.each(share(SEQUENCES, 3, randomInt(3)))('%s', async (_, sequence) => {
    const shown = `a${ESC}${sequence}z`
      .replace(/\r/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they are about
      .replace(/[\u0000-\u0009\u000b-\u001f]/g, (control) =>
        String.fromCharCode(0x2400 + control.charCodeAt(0)),
      );
    await expectShown(`a${ESC}${sequence}z`, shown.split('\n'));
  });
});

let written = 0;

describe('what hides, turns around or takes room', () => {
  const long = 'x'.repeat(43);
  const TEXTS: [string, string | Buffer, readonly string[]][] = [
    ['bidi override', 'photo\u202egpj.exe', ['photogpj.exe']],
    ['bidi embeddings and isolates', 'a\u202ab\u202bc\u202cd\u2066e\u2067f\u2068g\u2069h', ['abcdefgh']],
    ['bidi marks', 'a\u200eb\u200fc\u061cd', ['abcd']],
    ['right to left stays what it is', 'שלום عليكم', ['שלום عليكم']],
    ['tag characters', `a${String.fromCodePoint(0xe0001, 0xe0041, 0xe0042, 0xe007f)}b`, ['ab']],
    ['zero width', 'pa\u200bss\u2060wo\ufeffrd\u00ad\u180e', ['password']],
    ['fillers', 'a\u115f\u1160\u3164\uffa0b', ['ab']],
    ['interlinear annotation', 'a\ufff9b\ufffac\ufffbd', ['abcd']],
    ['lone surrogates, as bytes', Buffer.from('61eda080edbfbf62', 'hex'), ['a������b']],
    ['what is no UTF-8', Buffer.from('61fffec3c028f8', 'hex'), ['a���(�'.replace('���', '����')]],
    ['overlong', Buffer.from('c080e0809bf0808080', 'hex'), ['���������']],
    ['noncharacters', '\ufdd0\ufffe', ['��']],
    ['line and paragraph separators', 'a\u2028b\u2029c', ['a', 'b', 'c']],
    ['line breaks of every kind', 'a\r\nb\rc\vd\fe', ['a', 'b', 'c', 'd', 'e']],
    ['blank lines', 'a\n\n\n \n\t\nb', ['a', '', '', '', '', 'b']],
    ['no more than ten of them', `a${'\n\t'.repeat(50)}\nb`, ['a', ...Array<string>(10).fill(''), 'b']],
    ['a forged message', 'hi\n 12:00  ann  forged', ['hi', ' hh:mm  ann  forged']],
    ['a word of two rows', long + long, [long, long]],
    ['wide characters in the last column', `a${'漢'.repeat(22)}`, [`a${'漢'.repeat(21)}`, '漢']],
    ['wide characters', '漢'.repeat(22), ['漢'.repeat(21), '漢']],
    ['a mark without a character', '\u0301x', ['◌\u0301x']],
    ['500 marks', `e${'\u0301'.repeat(500)}x`, [`e${'\u0301'.repeat(4)}x`]],
    ['a joiner that joins nothing', 'a\u200db\u200cc', ['abc']],
    ['nothing at all', '', ['']],
  ];
  test.each(share(TEXTS, 2, randomInt(2)))('%s', (_, value, shown) => expectShown(value, shown));

  test.each<[string, string]>([
    ['families', '👩‍👩‍👧'],
    ['skins', '👍🏽'],
    ['flags', '🇩🇪🏴󠁧󠁢󠁥󠁮󠁧󠁿🏳️‍🌈'],
    ['keycaps and hearts', '1️⃣❤️'],
    ['conjuncts', 'क्षि'],
    ['syllables in parts', '\u1100\u1161\u11a8'],
    ['long ligatures', '﷽⸻'],
  ])('%s, of which terminals think differently, stay in their rows', async (_, text) => {
    await write(text.repeat(60), 'x');
    written += 1;
    await write(`behind ${written} ${text}`, 'x');
    await terminal.until(() => {
      // This one, and not that of the text before.
      expect(pane().at(-1)).toMatch(new RegExp(`^ hh:mm {2}ext x {2}behind ${written} `));
      expectIntact();
    });
  });

  test('200 lines', async () => {
    const lines = Array.from({ length: 200 }, (_, index) => `line ${index}`);
    await expectShown(lines.join('\n'), lines);
    terminal.type(`${ESC}[5~${ESC}[5~`);
    await terminal.until(() => expect(pane().at(-1)).toMatch(/more below/));
    terminal.type(`${ESC}>`);
    await terminal.until(() => {
      expect(pane().at(-1)).toBe(more('line 199'));
      expectIntact();
    });
  });
});

describe('names of programs', () => {
  test.each<[string, string | Buffer, string, string]>([
    ['control characters', 'a\u0007\u001b[31mb', 'a␇␛[31mb     ext', 'ext a␇␛[31mb'],
    ['line breaks and blanks', ' a\n1200 \r b ', 'a 1200 b     ext', 'ext a 1200 b'],
    ['a name like a user’s', 'ann', 'ann          ext', 'ext ann'],
    ['bidi', 'ann\u202egpj', 'anngpj       ext', 'ext anngpj'],
    ['long', 'n'.repeat(500), 'nnnnnn…nnnnn ext', 'ext nnnn…nnnnnnn'],
    ['wide', '漢'.repeat(50), '漢漢漢…漢漢  ext', 'ext 漢漢…漢漢漢 '],
    [
      'marks',
      `e${'\u0301'.repeat(50)}`,
      `é${'\u0301'.repeat(3)}            ext`,
      `ext e${'\u0301'.repeat(4)}`,
    ],
    ['a family', '👩‍👩‍👧 home', '👩 home      ext', 'ext 👩‍👩‍👧 home'],
    ['a flag and a heart', '🇩🇪❤️x', 'DE❤x         ext', 'ext 🇩🇪❤️x'],
    ['no UTF-8', Buffer.from('fffe', 'hex'), '��           ext', 'ext ��'],
    ['none', '', '(no name)    ext', 'ext (no name)'],
  ])('%s', async (_, key, inList, beside) => {
    const row = terminal.rows[2];
    await write('hello', key);
    // It is the newest one, at the top of the list.
    await terminal.until(() => {
      expect(terminal.rows[2]).not.toBe(row);
      // Its beginning: while it is unread there is less room for it.
      expect(terminal.rows[2]).toContain(inList.replace(/ +ext$/, '').slice(0, 2));
      expect(terminal.column(SEPARATOR).slice(2, -3)).toEqual(Array(19).fill('│'));
    });
    terminal.type(`${ESC}a`);
    await terminal.until(() => {
      const [, left = '', right = ''] = /^([^│]*)│(.*)$/u.exec(screenOf(terminal, ann)[2] ?? '') ?? [];
      expect([left.trimEnd().replace(/^▸./u, '▸'), right]).toEqual([`▸ ${inList}`, '']);
      expect(pane().at(-1)).toMatch(/hello$/);
    });
    await terminal.until(() => {
      expect(pane().at(-1)).toBe(` hh:mm  ${beside}  hello`);
      expect(terminal.column(SEPARATOR).slice(2, -3)).toEqual(Array(19).fill('│'));
      expect(newEffects()).toEqual([]);
      expect({ ...terminal.state, title: '' }).toEqual({ ...before.state, title: '' });
    });
  });
});
