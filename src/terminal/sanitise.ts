/*
 * Everything that came from outside (bodies, senders, names, the server's texts) passes here before it reaches the
 * terminal. What comes out cannot move the cursor, change colours or the window's title, reorder what stands beside
 * it, take up lines or columns that it does not show, or hide text from who reads it.
 */
import { graphemesIn } from './segmenter.ts';

/** A longer text is cut on the screen: no inbox takes one, so only a hostile server sends it. */
export const MAX_SHOWN = 200_000;
/** At most this many combining marks stay on one character: enough for any language, too few to paint over lines. */
const MAX_MARKS = 4;
/** At most this many graphemes of a name are shown. */
const MAX_NAME_GRAPHEMES = 64;

/** What the screen takes for the end of a line. */
export const LINE_BREAK = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the control characters are what it looks for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const JOINERS = /\u200c|\u200d/gu;
const VARIATION = /\ufe0e|\ufe0f/gu;
/** Bidi controls, tags, fillers, zero-width characters and the like; the joiners and FE0E/FE0F are looked at apart. */
const INVISIBLE = /(?!\u200c|\u200d|\ufe0e|\ufe0f)[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;
const NONCHARACTER = /\p{Noncharacter_Code_Point}/gu;
/** Joiners count as marks, or they would part one long run into many short ones. */
const TOO_MANY_MARKS = new RegExp(`((?:\\p{M}|\u200c|\u200d){${MAX_MARKS}})(?:\\p{M}|\u200c|\u200d)+`, 'gu');
/** So many blank lines in a row stay: nobody needs more, and a screen full of them hides what stands above. */
const MAX_BLANK_LINES = 10;
const BLANK_LINES = new RegExp(`\\n(?:[^\\S\\n]*\\n){${MAX_BLANK_LINES + 1},}`, 'g');
const MARK_ALONE = /(^|\n|\t| )(?=\p{M})/gu;

const EMOJI_END = /(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)$/u;
const EMOJI_START = /^\p{Extended_Pictographic}/u;
const EMOJI_BASE = /[\p{Extended_Pictographic}0-9#*]$/u;
/** Scripts whose letters take another form beside a joiner or non-joiner. */
const JOINING_SCRIPT = [
  'Arabic Syriac Nko Mongolian Devanagari Bengali Gurmukhi Gujarati Oriya Tamil',
  'Telugu Kannada Malayalam Sinhala Khmer Tibetan Myanmar',
]
  .join(' ')
  .split(' ')
  .map((script) => `\\p{Script=${script}}`)
  .join('');
const JOINING_END = new RegExp(`[${JOINING_SCRIPT}]$`, 'u');

/**
 * Text of several lines, made safe: line breaks of any kind become LF (never more than ten blank lines in a row), a tab
 * stays, any other control character becomes its visible picture (`␛`), a lone surrogate or noncharacter `�`; bidi controls, tags and invisible characters go;
 * joiners and variation selectors stay where a script or an emoji needs them. Applied again it changes nothing.
 */
export function sanitiseText(text: string): string {
  return visible(text, picture)
    .replace(MARK_ALONE, '$1\u25cc')
    .replace(BLANK_LINES, '\n'.repeat(MAX_BLANK_LINES + 1));
}

/** A name, a sender, a status text: as `sanitiseText`, and of one line. */
export function sanitiseLine(text: string): string {
  return sanitiseText(text).replace(/\s+/g, ' ').trim();
}

/** As `sanitiseLine`, cut to a length that a name may have; never empty. */
export function sanitiseName(name: string): string {
  // What follows the first characters can only be cut off; looking at a MiB of it would take time.
  const line = sanitiseLine(name.slice(0, MAX_NAME_GRAPHEMES * 16));
  if (line === '') return '?';
  // No more graphemes than units.
  if (line.length <= MAX_NAME_GRAPHEMES) return line;
  const shown = Array.from(graphemesIn(line), (part) => part.segment);
  return shown.length <= MAX_NAME_GRAPHEMES ? line : `${shown.slice(0, MAX_NAME_GRAPHEMES - 1).join('')}…`;
}

/**
 * What a person typed or pasted, for the input line: line breaks of any kind become LF, tabs stay, and nothing is left
 * that could act on the terminal. Less strict than `sanitiseText` since a character may come in pieces.
 */
export function sanitiseTyped(text: string): string {
  return text.toWellFormed().replace(LINE_BREAK, '\n').replace(CONTROL, '').replace(INVISIBLE, '');
}

/**
 * A text for other programs, so that what is pasted is what was seen: as `sanitiseText`, but control characters go, as nobody wants
 * their pictures there, and no line or circle is taken away or added for the sake of the screen.
 */
export function sanitiseCopied(text: string): string {
  return visible(text, () => '');
}

/** @param instead what stands for a control character */
function visible(text: string, instead: (control: string) => string): string {
  return text
    .toWellFormed()
    .replace(LINE_BREAK, '\n')
    .replace(CONTROL, instead)
    .replace(NONCHARACTER, '\ufffd')
    .replace(INVISIBLE, '')
    .replace(VARIATION, keepVariation)
    .replace(JOINERS, keepJoiner)
    .replace(TOO_MANY_MARKS, '$1');
}

function picture(control: string): string {
  const code = control.charCodeAt(0);
  if (code === 0x7f) return '\u2421';
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\ufffd';
}

/** FE0E and FE0F mean something behind a character that has both a text and an emoji form. */
function keepVariation(selector: string, at: number, text: string): string {
  return EMOJI_BASE.test(text.slice(Math.max(0, at - 2), at)) ? selector : '';
}

/** A joiner within an emoji sequence, or behind a letter of a script that joins. */
function keepJoiner(joiner: string, at: number, text: string): string {
  const before = text.slice(Math.max(0, at - 2), at);
  if (JOINING_END.test(before)) return joiner;
  const inEmoji =
    joiner === '\u200d' && EMOJI_END.test(before) && EMOJI_START.test(text.slice(at + 1, at + 3));
  return inEmoji ? joiner : '';
}

/**
 * Characters that JSON itself leaves as they are, and that could act on a terminal, reorder or hide what stands beside
 * them: DEL and C1 controls, format characters (bidi controls, tags, joiners), separators, fillers, and what is no
 * character, or one of somebody's own.
 */
const HARMFUL = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** A JSON value, or one that is not there. */
type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * One object as one line. Whoever parses it gets every character as it came; whoever looks at it in a terminal is safe,
 * since everything harmful is escaped.
 */
export function jsonLine(object: { readonly [key: string]: Json | undefined }): string {
  return harmless(JSON.stringify(object));
}

/** JSON with its harmful characters escaped, which stand only within strings. */
export function harmless(json: string): string {
  return json.replace(HARMFUL, (character) => {
    let escaped = '';
    // Beyond 16 bits as two, as JSON has them.
    for (let unit = 0; unit < character.length; unit++) {
      escaped += `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`;
    }
    return escaped;
  });
}

/** ISO 8601, or null for what is no time: a program may have written any number. */
export function isoTime(milliseconds: number | null): string | null {
  if (milliseconds === null) return null;
  const time = new Date(milliseconds);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}
