/** Characters that somebody has to guess, at least; a run along the keyboard, or a word that everybody knows, is one. */
const LEAST_TO_GUESS = 5;

/** Characters of the shortest word that is looked for between separators: a good password of signs has some letters, too. */
const SHORTEST_SPELLED = 4;
/** Kinds of separators that are no more to guess than one of them. */
const FEW_FILLERS = 2;

/** What fingers and heads run along, in both directions. */
const RUNS = [
  ...['abcdefghijklmnopqrstuvwxyz', '01234567890', '1234567890-=', "qwertyuiop[]asdfghjkl;'zxcvbnm,./"],
  ...['qwertzuiopüasdfghjklöäyxcvbnm,.-', 'azertyuiopqsdfghjklmwxcvbn', '!@#$%^&*()_+', '!"§$%&/()=?'],
  ...['1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p', '1q2w3e4r5t6y7u8i9o0p', 'qawsedrftgyhujikolp', '147258369'],
].flatMap((run) => [run, [...run].reverse().join('')]);
/** Fewer in a row may be chance. */
const SHORTEST_RUN = 3;

const LOOKALIKES: ReadonlyMap<string, string> = new Map([
  ...(['0o', '3e', '4a', '@a', '5s', '$s', '7t', '+t', '8b', '9g', '!i', '|l'] as const).map(
    (pair): [string, string] => [pair.charAt(0), pair.charAt(1)],
  ),
]);

/**
 * Why a password is too easy to guess, as a sentence for the person who chose it; null: it may do. It looks at what is
 * tried first: the usual passwords (49,000 of them, with digits and signs around them and for their letters), the name,
 * patterns, and all of that spelled out with something between its characters. The time it takes grows with the length alone.
 * @param least characters that a password needs
 */
export async function weaknessOf(password: string, name: string, least: number): Promise<string | null> {
  if ([...password].length < least) return `A password needs at least ${least} characters.`;
  const text = password.normalize('NFKC').toLowerCase();
  const seen = [...text.replace(/[\p{Z}\p{C}]/gu, '')];
  if (seen.length === 0) return 'A password cannot be of blanks alone.';
  if (new Set(seen).size < LEAST_TO_GUESS) return 'A password needs more different characters.';
  const words = await usualPasswords();
  const isUsual = (word: string) => word === name || word === 'milena' || words.has(word);
  for (const { text: form, isAll } of formsOf(text)) {
    if (isAll && isNearly(form, name, least)) return 'A password must be something else than the username.';
    const unit = repeatedUnit(form);
    if (isAll && (unit.length < LEAST_TO_GUESS || leftToGuess(unit) < LEAST_TO_GUESS)) {
      return 'That password is a pattern that is tried first: choose another one.';
    }
    if (isUsual(unit) || coresOf(unit, least).some(isUsual)) {
      return 'That password is one of those that are tried first: choose another one.';
    }
  }
  return null;
}

/** One way to read a password. */
interface Form {
  readonly text: string;
  /** Nothing that somebody would have to guess is left out. */
  readonly isAll: boolean;
}

/** What separates: blanks; signs that stand for no letter; all signs. */
const SEPARATORS = [/[\p{Z}\p{C}]/gu, /[^\p{L}\p{N}\p{M}@$+!|]/gu, /[^\p{L}\p{N}\p{M}]/gu];

/** A password as it stands, and without what may only stand between its characters: separators, or always the same. */
function formsOf(text: string): Form[] {
  const forms = new Map([[text, true]]);
  const add = (form: string, left: readonly string[]): void => {
    if ([...form].length < SHORTEST_SPELLED) return;
    forms.set(form, forms.get(form) === true || new Set(left).size <= FEW_FILLERS);
  };
  for (const separator of SEPARATORS) add(text.replace(separator, ''), text.match(separator) ?? []);
  const characters = [...text];
  for (const every of [2, 3]) {
    const left = characters.filter((_, i) => i % every > 0);
    if (new Set(left).size === 1) add(characters.filter((_, i) => i % every === 0).join(''), left);
  }
  return [...forms].map(([form, isAll]) => ({ text: form, isAll }));
}

let usual: Promise<ReadonlySet<string>> | null = null;

/** Read when the first password is chosen: it takes 20 ms and 4 MB. */
function usualPasswords(): Promise<ReadonlySet<string>> {
  usual ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) => new Set<string>(dictionary['passwords-common']),
  );
  return usual;
}

/** Whether hardly more than the name is in it, perhaps several times or backwards. */
function isNearly(text: string, name: string, least: number): boolean {
  const backwards = [...name].reverse().join('');
  // A name of one or two letters is in many a good password.
  if (name.length < 3) return text === name;
  const rest = text.replaceAll(name, '').replaceAll(backwards, '');
  if (rest.length === text.length) return false;
  return rest.length < LEAST_TO_GUESS || (rest.length < least && !/\p{L}/u.test(rest));
}

/** The shortest piece that the text is made of, repeated; the text itself if it is no such thing. */
function repeatedUnit(text: string): string {
  return text.slice(0, (text + text).indexOf(text, 1));
}

/** Characters, where each run counts as one. */
function leftToGuess(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; count++) {
    const run = longestRun(text, at);
    at += run >= SHORTEST_RUN ? run : 1;
  }
  return count;
}

/** Characters from `at` on that are a run. */
function longestRun(text: string, at: number): number {
  let longest = 0;
  for (const run of RUNS) {
    const start = run.indexOf(text.charAt(at));
    if (start < 0) continue;
    let length = 1;
    while (at + length < text.length && run[start + length] === text[at + length]) length += 1;
    longest = Math.max(longest, length);
  }
  return longest;
}

/** The words that may be in it: without what stands around its letters, and with letters for what looks like them. */
function coresOf(text: string, least: number): string[] {
  const behind = text.replace(/[^\p{L}]+$/u, '');
  const both = behind.replace(/^[^\p{L}]+/u, '');
  const around = [text, behind, both].filter((core) => core.length >= 3 && text.length - core.length < least);
  return around.flatMap((core) => [core, ...['i', 'l'].map((one) => inLetters(core, one))]);
}

function inLetters(text: string, one: string): string {
  return [...text].map((sign) => (sign === '1' ? one : (LOOKALIKES.get(sign) ?? sign))).join('');
}
