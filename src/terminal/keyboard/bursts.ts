import type { Decoded } from './decoder.ts';
import type { InputEvent } from './input-event.ts';

/** Enter behind text that came with it waits so long for more: a person's Enter comes by itself. */
const ENTER_MS = 30;
/** A burst is over when nothing comes for so long. */
const BURST_MS = 100;
/** Lines that come at once so soon behind a burst are the rest of it: the line to the terminal is slow. */
const REST_MS = 1_000;
/** Text is as quick as a program's up to so long before Enter. */
const QUICK_MS = 5;
/** Nobody types so many characters between two reads. */
const PASTED_UNITS = 32;

/**
 * A paste that stalled goes on until its end mark comes, at most for so long behind the last of it that is more than a
 * person types between two reads. Then Enter is the key again, also where the mark was lost.
 */
export const UNENDED_MS = 5_000;

/** What a key is in a text. */
const IN_TEXT: Readonly<Record<string, string>> = { enter: '\r', 'ctrl+j': '\n', tab: '\t' };

/**
 * Finds pastes that the terminal does not mark, by their speed: text goes on behind an Enter in the same moment. Their line
 * breaks and tabs are text; no line of them is sent, completed, or carried out. Pure, like the decoder in front of it.
 */
export class Bursts {
  /** Enters that may be line breaks of a paste, and when they are the key after all. */
  #held = 0;
  #enterDueAt: number | null = null;
  /** A paste goes on until nothing comes for a while. */
  #endsAt = Number.NEGATIVE_INFINITY;
  #textAt = Number.NEGATIVE_INFINITY;
  /** So long the rest of a marked paste may come, whose beginning was given out. */
  #unendedUntil = Number.NEGATIVE_INFINITY;

  get dueAt(): number | null {
    return this.#enterDueAt;
  }

  /** @param read what one read from the terminal brought */
  push(read: readonly Decoded[], now: number): InputEvent[] {
    const out = this.tick(now);
    const end = read.findLastIndex(({ type }) => type === 'stray-paste-end');
    const marked = read.slice(0, Math.max(0, end));
    // What stands in front of an end mark is the rest of a paste that took too long.
    if (marked.length > 0) out.push(...asPaste(marked));
    if (end >= 0) this.#unendedUntil = Number.NEGATIVE_INFINITY;
    for (const part of parts(read.slice(end + 1))) this.#take(part, now, out);
    return out;
  }

  tick(now: number): InputEvent[] {
    if (this.#enterDueAt === null || now < this.#enterDueAt) return [];
    return this.#enter();
  }

  #take(part: readonly Decoded[], now: number, out: InputEvent[]): void {
    const first = part[0];
    if (first === undefined) return;
    if (keyText(first) === null) {
      this.#other(first, now, out);
      return;
    }
    const text = '\r'.repeat(this.#held) + part.map(keyText).join('');
    const isRest = now < this.#endsAt + REST_MS && part.length > 1;
    const isUnended = now < this.#unendedUntil;
    if (isUnended && text.length > PASTED_UNITS) this.#unendedUntil = now + UNENDED_MS;
    if (isUnended || now < this.#endsAt || isRest || isBurst(text)) {
      this.#held = 0;
      this.#enterDueAt = null;
      this.#endsAt = now + BURST_MS;
      out.push({ type: 'paste', text });
    } else if (this.#held > 0 && /^\r+$/.test(text)) {
      // Nobody is so quick with a second Enter: what comes next tells of both.
      this.#held = text.length;
    } else {
      out.push(...this.#enter());
      this.#typed(part.filter(isInput), now, out);
    }
    if (part.some(({ type }) => type === 'text')) this.#textAt = now;
  }

  /** What is no text. */
  #other(event: Decoded, now: number, out: InputEvent[]): void {
    if (event.type === 'unended-paste') this.#unendedUntil = now + UNENDED_MS;
    if (!isInput(event)) return;
    // Whoever presses it wants the keys.
    if (event.type === 'key' && event.key === 'ctrl+c') this.#unendedUntil = Number.NEGATIVE_INFINITY;
    out.push(...this.#enter(), event);
  }

  #typed(part: readonly InputEvent[], now: number, out: InputEvent[]): void {
    const last = part.findLastIndex((event) => event.type !== 'key' || event.key !== 'enter');
    const isHeld = last >= 0 || now - this.#textAt <= QUICK_MS;
    const units = part.reduce((sum, event) => sum + (keyText(event)?.length ?? 0), 0);
    for (const event of isHeld ? part.slice(0, last + 1) : part) {
      const isTab = event.type === 'key' && event.key === 'tab';
      out.push(isTab && units > PASTED_UNITS ? { type: 'text', text: '\t' } : event);
    }
    this.#held = isHeld ? part.length - last - 1 : 0;
    if (this.#held > 0) this.#enterDueAt = now + ENTER_MS;
  }

  #enter(): InputEvent[] {
    const count = this.#held;
    this.#held = 0;
    this.#enterDueAt = null;
    return Array.from({ length: count }, () => ({ type: 'key', key: 'enter' }));
  }
}

/** Whether it is for those who take keys. */
export function isInput(event: Decoded): event is InputEvent {
  return event.type !== 'stray-paste-end' && event.type !== 'unended-paste';
}

/** The text that keys are, or would be in a paste; null for what is none. */
function keyText(event: Decoded): string | null {
  if (event.type === 'text') return event.text;
  return event.type === 'key' ? (IN_TEXT[event.key] ?? null) : null;
}

/** Whether text follows on a line break: nobody presses Enter and more within one read. */
function isBurst(text: string): boolean {
  return /[\r\n][^\r\n]/.test(text);
}

function asPaste(events: readonly Decoded[]): InputEvent[] {
  const text = events.map((event) => (event.type === 'paste' ? event.text : (keyText(event) ?? ''))).join('');
  return text === '' ? [] : [{ type: 'paste', text }];
}

/** Runs of what may be text, and what is none one by one. */
function* parts(events: readonly Decoded[]): Generator<readonly Decoded[], void> {
  let run: Decoded[] = [];
  for (const event of events) {
    if (keyText(event) !== null) {
      run.push(event);
      continue;
    }
    if (run.length > 0) yield run;
    run = [];
    yield [event];
  }
  if (run.length > 0) yield run;
}
