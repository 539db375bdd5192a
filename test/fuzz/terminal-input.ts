/* What terminals send: known sequences and texts, whole and spoilt, cut anywhere and at any times. */
import { Bursts } from '../../src/terminal/keyboard/bursts.ts';
import { type Decoded, Decoder } from '../../src/terminal/keyboard/decoder.ts';
import type { InputEvent } from '../../src/terminal/keyboard/input-event.ts';
import { type Random, randomCuts } from '../protocol/random.ts';
import { SEQUENCES } from '../terminal/keyboard/sequences.ts';
import { demand, demandSame, mutate, type Target } from './fuzzing.ts';

/** Longer than anything is waited for. */
const AFTER_ALL_MS = 60_000;
const LONGEST_WAIT_MS = 3_000;
const WORDS = ['a', 'Z', ' ', 'hello', 'é', '漢', '👩‍👩‍👧', '~', '[', 'O', ';5', '\u00a0'];
const PIECES = [
  '\u001b',
  '[',
  'O',
  ']',
  'P',
  '_',
  '200~',
  '201~',
  ';',
  '1',
  ':',
  '<',
  '?',
  '$',
  'M',
  'A',
  'u',
  '\u0007',
].concat(['\\', '\u009b', '\u00c3', '\u0003', 'x', '\r', '\n', '\u00ff', '\u001b[200~']);

/** A terminal and the clock of who reads it: events as they are, and as they are given on. */
class Reader {
  readonly decoded: Decoded[] = [];
  readonly #decoder = new Decoder();
  readonly #bursts = new Bursts();
  #now = 1_000;

  read(bytes: Buffer): void {
    this.#give(this.#decoder.push(bytes, this.#now));
  }

  /** What comes of time alone, at the moments that they ask for. */
  wait(ms: number): void {
    const until = this.#now + ms;
    for (let due = this.#dueAt(); due !== null && due <= until; due = this.#dueAt()) {
      demand(due - this.#now <= LONGEST_WAIT_MS, () => `waits until ${due}, from ${this.#now} on`);
      this.#now = Math.max(due, this.#now);
      this.#give(this.#decoder.tick(this.#now));
    }
    this.#now = until;
  }

  #dueAt(): number | null {
    const due = [this.#decoder.dueAt, this.#bursts.dueAt].filter((at) => at !== null);
    return due.length === 0 ? null : Math.min(...due);
  }

  #give(decoded: readonly Decoded[]): void {
    for (const event of decoded) judgeEvent(event);
    this.decoded.push(...decoded);
    for (const event of [...this.#bursts.push(decoded, this.#now), ...this.#bursts.tick(this.#now)])
      judgeEvent(event);
  }
}

export const terminalInput: Target = {
  name: 'terminal-input',
  unit: 'reads',
  judge: (random) => {
    const valid = typed(random);
    const meant = new Reader();
    meant.read(valid.bytes);
    meant.wait(AFTER_ALL_MS);
    demandSame(joined(meant.decoded), joined(valid.meaning), valid.bytes);
    const bytes = random.below(2) === 0 ? mutate(random, valid.bytes) : anything(random);
    return 1 + judgeCuts(random, random.pick([bytes, valid.bytes])) + judgeTimes(random, bytes);
  },
};

/** Texts and sequences, and what they mean. */
function typed(random: Random): { bytes: Buffer; meaning: readonly (InputEvent | Decoded)[] } {
  const parts: Buffer[] = [];
  const meaning: (InputEvent | Decoded)[] = [];
  for (let left = random.below(6); left > 0; left--) {
    const text = random.pick(WORDS);
    parts.push(Buffer.from(text));
    meaning.push({ type: 'text', text });
    const [, bytes, events] = random.pick(SEQUENCES);
    parts.push(Buffer.from(bytes, 'latin1'));
    meaning.push(...events);
  }
  return { bytes: Buffer.concat(parts), meaning };
}

function anything(random: Random): Buffer {
  const pieces = Array.from({ length: random.below(20) }, () => random.pick(PIECES));
  return Buffer.from(pieces.join(''), 'latin1');
}

/** Cut anywhere it means the same, if all of it comes at once. */
function judgeCuts(random: Random, bytes: Buffer): number {
  const [whole, cut] = [new Reader(), new Reader()];
  whole.read(bytes);
  const pieces = randomCuts(random, bytes);
  for (const piece of pieces) cut.read(piece);
  whole.wait(AFTER_ALL_MS);
  cut.wait(AFTER_ALL_MS);
  demandSame(joined(cut.decoded), joined(whole.decoded), bytes);
  return 1 + pieces.length;
}

/** Whatever comes when, in the end a key is a key again. */
function judgeTimes(random: Random, bytes: Buffer): number {
  const reader = new Reader();
  const pieces = randomCuts(random, bytes);
  for (const piece of pieces) {
    reader.read(piece);
    reader.wait(random.pick([0, 0, 0, 10, 50, 200, 600]));
  }
  reader.wait(AFTER_ALL_MS);
  reader.decoded.length = 0;
  reader.read(Buffer.from('plain'));
  demandSame(joined(reader.decoded), [{ type: 'text', text: 'plain' }], bytes);
  return 1 + pieces.length;
}

/** A text has no controls, and what is no text has a name. */
function judgeEvent(event: Decoded): void {
  const isRight =
    event.type === 'text'
      ? event.text !== '' && event.text.isWellFormed() && !CONTROL.test(event.text.replaceAll('\t', ''))
      : event.type !== 'key' || (event.key !== '' && !CONTROL.test(event.key));
  demand(isRight, () => JSON.stringify(event));
}

const CONTROL = /\p{Cc}/u;

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
