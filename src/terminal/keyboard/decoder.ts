import type { InputEvent } from './input-event.ts';
import { controlKey, keyName, MODIFIER } from './key-names.ts';
import { Paste } from './paste.ts';
import {
  csiEvent,
  endsSs3,
  INTRODUCED,
  isRest,
  MAX_SEQUENCE_BYTES,
  mayBeString,
  oldMouse,
  ss3Event,
  stringEvent,
} from './sequences.ts';
import { Utf8 } from './utf8.ts';

/** How long an Escape may be the beginning of a sequence: a slow line brings that in pieces. */
export const ESCAPE_MS = 250;
/** How long an Escape makes Alt of a character behind it: nobody presses two keys so quickly. */
export const ALT_MS = 50;
/** How long a sequence waits for its next byte while a person could have typed what is there of it. */
const SHORT_MS = 500;
/** And when only a terminal can have begun it so. */
const LONG_MS = 3_000;
/** A paste is over when nothing more of it comes for so long, whether its end was marked or not. */
export const PASTE_MS = 500;
/** A Ctrl+C that comes by itself, and not sooner behind a paste that has not ended, is the key. */
const ALONE_MS = 20;
/** So long behind an Escape that was taken for the key, the rest of a sequence is still none that a person typed. */
const LATE_MS = 3_000;

const [ETX, BEL, LF, CR, ESC, DEL, ST] = [0x03, 0x07, 0x0a, 0x0d, 0x1b, 0x7f, 0x9c];
/** The decoder tells what its events do not: a paste's end mark without a beginning, and that a paste is over without its mark. */
export type Decoded = InputEvent | { readonly type: 'stray-paste-end' | 'unended-paste' };

type State = 'ground' | 'escape' | 'csi' | 'ss3' | 'string' | 'string-escape' | 'mouse' | 'paste';

/** Where that is not a matter of what is there of a sequence. */
const PATIENCE_MS: Partial<Record<State, number>> = { escape: ESCAPE_MS, ss3: SHORT_MS, paste: PASTE_MS };

/**
 * Bytes from a terminal as what they mean, however they are cut and whenever they come. Pure: time comes with each
 * call, in milliseconds of a clock that does not go back.
 *
 * A sequence is never text and never another key. What a terminal began and did not end is dropped in time; what a person
 * may have typed (Escape, then a bracket) comes out as such. Ctrl+C is a key wherever it stands alone.
 */
export class Decoder {
  #state: State = 'ground';
  /** What follows the Escape, introducer included. */
  #sequence = '';
  /** Escapes in front of the sequence: two are Alt and a key. */
  #escapes = 0;
  /** The introducer came so quickly behind the Escape that it may be Alt and that key. */
  #isAlt = false;
  #old: number[] = [];
  readonly #paste = new Paste();
  readonly #utf8 = new Utf8();
  #isAltCharacter = false;
  #lastAt = 0;
  /** When an Escape was last taken for the key because nothing followed. */
  #escapeAt = Number.NEGATIVE_INFINITY;
  /** The last byte was CR: LF behind it belongs to it. */
  #sawReturn = false;
  #isLoneRead = false;
  #text = '';
  #events: Decoded[] = [];

  /** When `tick` has something to do if nothing comes until then; null: never. */
  get dueAt(): number | null {
    const isIdle = this.#state === 'ground' && !this.#utf8.hasPart;
    const usual = this.#sequence.length > 1 ? LONG_MS : SHORT_MS;
    return isIdle ? null : this.#lastAt + (PATIENCE_MS[this.#state] ?? usual);
  }

  /** What a read from the terminal means. */
  push(bytes: Uint8Array, now: number): Decoded[] {
    this.#expire(now);
    this.#isLoneRead = bytes.length === 1;
    if (this.#state === 'ground' && now - this.#escapeAt <= LATE_MS && isRest(bytes)) this.#begin();
    for (const byte of bytes) {
      this.#take(byte, now);
      this.#lastAt = now;
    }
    return this.#taken();
  }

  /** What it means that nothing more came until `now`. */
  tick(now: number): Decoded[] {
    this.#expire(now);
    return this.#taken();
  }

  #taken(): Decoded[] {
    this.#endText();
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #expire(now: number): void {
    const due = this.dueAt;
    if (due === null || now < due) return;
    switch (this.#state) {
      case 'escape':
        for (let left = this.#escapes; left > 0; left--) this.#key('escape');
        this.#escapeAt = now;
        break;
      case 'paste':
        this.#endPaste();
        this.#emit({ type: 'unended-paste' });
        return;
      case 'ss3':
      case 'csi':
      case 'string':
        if (this.#sequence.length === 1) this.#asTyped();
        break;
    }
    this.#reset();
    this.#utf8.drop();
    this.#isAltCharacter = false;
  }

  #take(byte: number, now: number): void {
    if (this.#state === 'paste') {
      this.#pasted(byte, now);
      return;
    }
    if (byte === ETX && this.#state !== 'ground') {
      // Also half-way through a sequence, or behind an Escape: it always is this key.
      this.#reset();
      this.#key('ctrl+c');
      return;
    }
    switch (this.#state) {
      case 'ground':
        this.#plain(byte);
        break;
      case 'escape':
        this.#escaped(byte, now);
        break;
      case 'csi':
        this.#csi(byte);
        break;
      case 'ss3':
        this.#ss3(byte);
        break;
      case 'mouse':
        this.#old.push(byte);
        if (this.#old.length === 3) {
          this.#emit(oldMouse(this.#old));
          this.#reset();
        }
        break;
      case 'string':
        this.#string(byte);
        break;
      case 'string-escape':
        if (byte === 0x5c) this.#endString();
        else {
          this.#begin();
          this.#escaped(byte, this.#lastAt);
        }
        break;
    }
  }

  #plain(byte: number): void {
    if (this.#utf8.hasPart && !this.#utf8.goesOnWith(byte)) {
      this.#utf8.drop();
      this.#typed('\ufffd');
    }
    if (byte >= 0x80) {
      this.#beyondAscii(byte);
      return;
    }
    const isSecond = byte === LF && this.#sawReturn;
    this.#sawReturn = byte === CR;
    if (isSecond) return;
    if (byte === ESC) this.#begin();
    else if (byte < 0x20 || byte === DEL) this.#key(controlKey(byte));
    else this.#text += String.fromCharCode(byte);
  }

  #beyondAscii(byte: number): void {
    const text = this.#utf8.push(byte);
    if (text === null) return;
    const code = text.codePointAt(0) ?? 0;
    // C1 controls, as a byte or as a character, are Escape and a letter.
    if (code >= 0x80 && code < 0xa0) {
      this.#begin();
      this.#escaped(code - 0x40, this.#lastAt);
    } else this.#typed(text);
  }

  #typed(text: string): void {
    if (this.#isAltCharacter) this.#key(keyName(text, MODIFIER.alt));
    else this.#text += text;
    this.#isAltCharacter = false;
  }

  #begin(): void {
    this.#reset();
    this.#state = 'escape';
    this.#escapes = 1;
  }

  #escaped(byte: number, now: number): void {
    const isQuick = now - this.#lastAt <= ALT_MS;
    if (byte === ESC) {
      // Two of them are Alt in front of a sequence, unless a person pressed them; a third is no part of any.
      if (isQuick && this.#escapes === 1) this.#escapes = 2;
      else this.#key('escape');
      return;
    }
    const introducer = String.fromCharCode(byte);
    const state = INTRODUCED[introducer];
    if (state !== undefined) {
      this.#state = state;
      this.#sequence = introducer;
      this.#isAlt = isQuick;
      return;
    }
    for (let left = this.#escapes; left > (isQuick ? 1 : 0); left--) this.#key('escape');
    this.#reset();
    if (!isQuick) this.#take(byte, now);
    else if (byte >= 0x80) {
      this.#isAltCharacter = true;
      this.#plain(byte);
    } else if (byte < 0x20 || byte === DEL) {
      this.#key(byte === LF ? 'alt+enter' : controlKey(byte, MODIFIER.alt));
      this.#sawReturn = byte === CR;
    } else this.#key(keyName(introducer, MODIFIER.alt));
  }

  #csi(byte: number): void {
    if (this.#leaves(byte)) return;
    const character = String.fromCharCode(byte);
    const body = this.#sequence.slice(1);
    const isConsole = byte === 0x5b && body === '';
    // Keys of rxvt end in what is no final elsewhere.
    const isFinal = byte >= 0x40 ? !isConsole : character === '$' && /^\d+$/.test(body);
    if (!isFinal) {
      this.#append(character);
      return;
    }
    const modifiers = this.#escapes > 1 ? MODIFIER.alt : 0;
    this.#reset();
    if (character === 'M' && body === '') this.#state = 'mouse';
    else if (character === '~' && body === '200') this.#state = 'paste';
    else if (character === '~' && body === '201') this.#emit({ type: 'stray-paste-end' });
    else this.#emit(csiEvent(body, character, modifiers));
  }

  #ss3(byte: number): void {
    if (this.#leaves(byte)) return;
    const character = String.fromCharCode(byte);
    if ((byte >= 0x30 && byte <= 0x39) || byte === 0x3b) {
      this.#append(character);
      return;
    }
    const body = this.#sequence.slice(1);
    if (!endsSs3(character)) {
      this.#asTyped();
      this.#plain(byte);
      return;
    }
    const modifiers = this.#escapes > 1 ? MODIFIER.alt : 0;
    this.#reset();
    this.#emit(ss3Event(body, character, modifiers));
  }

  #string(byte: number): void {
    if (byte === BEL || byte === ST) this.#endString();
    else if (byte === ESC) this.#state = 'string-escape';
    else if (!this.#leaves(byte)) {
      this.#append(String.fromCharCode(byte));
      if (!mayBeString(this.#sequence)) this.#asTyped();
    }
  }

  #endString(): void {
    const kind = this.#sequence.charAt(0);
    const text = this.#sequence.slice(1);
    this.#reset();
    this.#emit(stringEvent(kind, text));
  }

  /** Ends a sequence at what cannot stand in it, which is looked at anew. */
  #leaves(byte: number): boolean {
    if (byte >= 0x20 && byte < DEL) return false;
    this.#reset();
    this.#plain(byte);
    return true;
  }

  #append(character: string): void {
    if (this.#sequence.length < MAX_SEQUENCE_BYTES) this.#sequence += character;
  }

  /** What began like a sequence and is none: a person pressed these keys. */
  #asTyped(): void {
    const [introducer = '', ...rest] = this.#sequence;
    const [isAlt, escapes] = [this.#isAlt, this.#escapes];
    this.#reset();
    for (let left = escapes; left > (isAlt ? 1 : 0); left--) this.#key('escape');
    if (isAlt) this.#key(keyName(introducer, MODIFIER.alt));
    else this.#text += introducer;
    this.#text += rest.join('');
  }

  #pasted(byte: number, now: number): void {
    if (byte === ETX && this.#isLoneRead && now - this.#lastAt > ALONE_MS) {
      this.#endPaste();
      this.#key('ctrl+c');
      return;
    }
    if (this.#paste.push(byte)) this.#endPaste();
  }

  #endPaste(): void {
    const text = this.#paste.take();
    this.#reset();
    if (text !== '') this.#emit({ type: 'paste', text });
  }

  #reset(): void {
    this.#state = 'ground';
    this.#sequence = '';
    this.#escapes = 0;
    this.#isAlt = false;
    this.#old = [];
    this.#sawReturn = false;
  }

  #key(key: string): void {
    this.#emit({ type: 'key', key });
  }

  #emit(event: Decoded | undefined): void {
    if (event === undefined) return;
    this.#endText();
    this.#events.push(event);
  }

  #endText(): void {
    if (this.#text !== '') this.#events.push({ type: 'text', text: this.#text });
    this.#text = '';
  }
}
