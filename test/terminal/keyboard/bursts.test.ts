import { expect, test } from 'vitest';
import { Bursts, UNENDED_MS } from '../../../src/terminal/keyboard/bursts.ts';
import { Decoder, PASTE_MS } from '../../../src/terminal/keyboard/decoder.ts';
import type { InputEvent } from '../../../src/terminal/keyboard/input-event.ts';

/** A keyboard and the clock that it is told. */
class Typist {
  readonly #decoder = new Decoder();
  readonly #bursts = new Bursts();
  #now = 1_000;

  read(bytes: string): InputEvent[] {
    return this.#bursts.push(this.#decoder.push(Buffer.from(bytes), this.#now), this.#now);
  }

  /** Nothing comes for so long. */
  wait(ms: number): InputEvent[] {
    this.#now += ms;
    const decoded = this.#decoder.tick(this.#now);
    return [...this.#bursts.tick(this.#now), ...this.#bursts.push(decoded, this.#now)];
  }
}

const paste = (text: string): InputEvent => ({ type: 'paste', text });
const typed = (text: string): InputEvent => ({ type: 'text', text });
const key = (name: string): InputEvent => ({ type: 'key', key: name });

function stalled(): Typist {
  const typist = new Typist();
  typist.read('\u001b[200~one');
  expect(typist.wait(PASTE_MS)).toEqual([paste('one')]);
  return typist;
}

test('a paste that stalled goes on: no line of the rest is sent, in whatever pieces it comes', () => {
  const typist = stalled();
  expect(typist.read('foo\r')).toEqual([paste('foo\r')]);
  expect(typist.wait(1_000)).toEqual([]);
  expect(typist.read('\r')).toEqual([paste('\r')]);
  expect(typist.wait(1_000)).toEqual([]);
  expect(typist.read('b\tr')).toEqual([paste('b\tr')]);
  typist.wait(200);
  expect(typist.read('last\r\u001b[201~')).toEqual([paste('last\r')]);
  typist.wait(200);
  expect([typist.read('x'), typist.wait(200), typist.read('\r')]).toEqual([[typed('x')], [], [key('enter')]]);
});

test('it may have stalled behind its first mark', () => {
  const typist = new Typist();
  typist.read('\u001b[200~');
  typist.wait(PASTE_MS);
  expect(typist.read('foo\r')).toEqual([paste('foo\r')]);
});

test('much of it takes any time', () => {
  const typist = stalled();
  for (let part = 0; part < 5; part++) {
    typist.wait(UNENDED_MS - 1);
    expect(typist.read(`${'y'.repeat(40)}\r`)).toEqual([paste(`${'y'.repeat(40)}\r`)]);
  }
});

test('what a person types does not make it longer, and then Enter is the key again', () => {
  const typist = stalled();
  typist.wait(UNENDED_MS - 1);
  expect(typist.read('\r')).toEqual([paste('\r')]);
  typist.wait(200);
  expect(typist.read('\r')).toEqual([key('enter')]);
});

test('keys that are no text are keys, and Ctrl+C ends it', () => {
  const typist = stalled();
  expect(typist.read('\u001b[A')).toEqual([key('up')]);
  expect(typist.read('\u0003')).toEqual([key('ctrl+c')]);
  typist.wait(200);
  expect(typist.read('\r')).toEqual([key('enter')]);
});
