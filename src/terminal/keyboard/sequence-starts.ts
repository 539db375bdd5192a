/* How what a terminal sends begins, behind its Escape, and what a person may have typed all the same. */

/** No sequence that means something is longer; more of one is dropped. */
export const MAX_SEQUENCE_BYTES = 4_096;

/** What the first character makes of an Escape. */
export const INTRODUCED: Readonly<Record<string, 'csi' | 'ss3' | 'string'>> = {
  '[': 'csi',
  O: 'ss3',
  ']': 'string',
  P: 'string',
  _: 'string',
};

/** How answers begin, behind the introducer: what else stands there, a person typed. */
const STRINGS: Readonly<Record<string, RegExp>> = {
  ']': /^\d{0,4}(?:$|;|[lL])/,
  P: /^[\d;]{0,9}(?:$|[!>+$=<?|])/,
  _: /^(?:$|G)/,
};
/** Behind so many characters there is no doubt any more. */
const MAX_DOUBTFUL = 16;

/** Whether this is the beginning of an answer. @param sequence what follows the Escape, introducer included */
export function mayBeString(sequence: string): boolean {
  return sequence.length >= MAX_DOUBTFUL || STRINGS[sequence.charAt(0)]?.test(sequence.slice(1)) === true;
}

/** All of a sequence but its Escape. */
const REST =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: answers end in one
  /^(?:\[[\d;:<=>?]*[ -/]?[@-~]|\[\d\$|O[A-DFHMP-Sa-d]|\]\d+;[^\x07\x1b]*(?:\x07|\x1b\\)|P[\d;]*[!>+$|][^\x1b]*\x1b\\)$/;

/** Whether one read is all of a sequence but its Escape: nobody types it so. */
export function isRest(bytes: Uint8Array): boolean {
  return (
    bytes.length > 1 && bytes.length < MAX_SEQUENCE_BYTES && REST.test(Buffer.from(bytes).toString('latin1'))
  );
}
