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
