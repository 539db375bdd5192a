import { describe, expect, test } from 'vitest';
import {
  type Completed,
  type CompletionSource,
  completionsAt,
  startCompletion,
  stepCompletion,
} from '../../../src/terminal/tui/completion.ts';
import { EMPTY_INPUT, editInput, type InputLine } from '../../../src/terminal/tui/input-line.ts';
import { Random } from '../../protocol/random.ts';
import { sized } from '../../size.ts';

const SOURCE: CompletionSource = {
  commands: ['/msg', '/mute', '/who', '/list', '/login', '/logout', '/block', '/help', '/search'],
  names: ['bob', 'bobby', 'carol', 'deploy-bot', 'Éva'],
};

function written(picture: string): InputLine {
  const cursor = picture.indexOf('|');
  return { ...EMPTY_INPUT, text: picture.slice(0, cursor) + picture.slice(cursor + 1), cursor };
}

function shown({ input }: Completed): string {
  return `${input.text.slice(0, input.cursor)}|${input.text.slice(input.cursor)}`;
}

/** Presses Tab (1), Shift+Tab (-1) or Escape (0). */
function pressed(picture: string, steps: readonly (1 | -1 | 0)[], source = SOURCE): string {
  const start: Completed = { input: written(picture), completion: null };
  return shown(
    steps.reduce<Completed>((at, by) => stepCompletion(at.input, at.completion, by, source), start),
  );
}

describe('in a room', () => {
  const source: CompletionSource = {
    commands: [...SOURCE.commands, '/join', '/invite', '/room'],
    names: ['bob', 'bobby', 'carol'],
    rooms: ['#ops', '#oven', '#soup'],
    addressed: ['carol', 'bob'],
  };

  test.each<[string, readonly string[] | null]>([
    ['/join |', ['#ops', '#oven', '#soup']],
    ['/join #o|', ['#ops', '#oven']],
    ['/join sou|', ['#soup']],
    ['/msg #s|', ['#soup']],
    ['/invite b|', ['bob', 'bobby']],
    ['/invite bob #o|', ['#ops', '#oven']],
    ['/invite bob #ops c|', null],
    ['/room s|', ['set']],
    ['/room owner c|', ['carol']],
    ['/room delete #s|', ['#soup']],
    ['/search soup in:#o|', ['#ops', '#oven']],
    ['see #o|', ['#ops', '#oven']],
    ['see a#o|', null],
    ['b|', ['bob:']],
    ['ca|', ['carol:']],
    ['bobb|', null],
    ['so b|', null],
  ])('%s', (picture, candidates) => {
    const { text, cursor } = written(picture);
    expect(completionsAt(text, cursor, source)?.candidates ?? null).toEqual(candidates);
  });

  test('nobody is addressed where none is open', () => {
    expect(completionsAt('b', 1, { ...source, addressed: [] })).toBeNull();
  });
});

describe('what there is to complete', () => {
  test.each<[string, readonly string[] | null]>([
    ['/|', SOURCE.commands.slice()],
    ['/m|', ['/msg', '/mute']],
    ['/M|', ['/msg', '/mute']],
    ['  /mu|', ['/mute']],
    ['/sg|', ['/msg']],
    ['/lgt|', ['/logout']],
    ['/xyz|', null],
    ['//m|', null],
    ['/a/b|', null],
    ['hello /m|', null],
    ['one\n/m|', null],
    ['/msg |', SOURCE.names],
    ['/msg b|', ['bob', 'bobby']],
    ['/MSG BOBB|', ['bobby']],
    ['/msg @bobb|', ['bobby']],
    ['/msg bot|', ['deploy-bot']],
    ['/msg crl|', ['carol']],
    ['/msg é|', ['Éva']],
    ['/msg bob b|', null],
    ['/search from:b|', ['bob', 'bobby']],
    ['/search disk in:@bobb|', ['bobby']],
    ['/search b|', null],
    ['/who bob b|', ['bob', 'bobby']],
    ['/who bob,car|', ['carol']],
    ['/who bob; |', SOURCE.names],
    ['/mute b|', null],
    ['/unknown b|', null],
    ['/constructor b|', null],
    ['@|', ['@bob', '@bobby', '@carol', '@deploy-bot', '@Éva']],
    ['hi @ca|', ['@carol']],
    ['/msg bob is (@ca|', ['@carol']],
    ['//x @ca|', ['@carol']],
    ['mail bob@ca|', null],
    ['@@ca|', null],
    ['hi @x!|', null],
    ['bo|', null],
    ['|', null],
  ])('%j', (picture, candidates) => {
    const { text, cursor } = written(picture);
    expect(completionsAt(text, cursor, SOURCE)?.candidates ?? null).toEqual(candidates);
  });

  test.each<[string, number, number]>([
    ['/m|x yes', 0, 3],
    ['/msg b|ob hi', 5, 8],
    ['/who b|o;carol', 5, 7],
    ['see @ca|r, you', 4, 8],
  ])('the whole word is replaced: %j', (picture, from, to) => {
    const { text, cursor } = written(picture);
    expect(completionsAt(text, cursor, SOURCE)).toMatchObject({ from, to });
  });

  test('each once, in the order given', () => {
    const source = { commands: [], names: ['b2', 'b1', 'b2'] };
    expect(completionsAt('@b', 2, source)?.candidates).toEqual(['@b2', '@b1']);
  });
});

describe('Tab', () => {
  test.each<[string, string, (1 | -1 | 0)[], string]>([
    ['takes the only one, and a blank', '/mu|', [1], '/mute |'],
    ['puts no second blank', '/mu| x', [1], '/mute| x'],
    ['adds the blank alone', '/help|', [1], '/help |'],
    ['in the letters of the name', '/msg CAR|', [1], '/msg carol |'],
    ['takes what all begin with', '/lo|', [1], '/log|'],
    ['takes the longer beginning first', '/msg bo|', [1], '/msg bob|'],
    ['then goes through them', '/msg bo|', [1, 1], '/msg bob |'],
    ['further', '/msg bo|', [1, 1, 1], '/msg bobby |'],
    ['and around', '/msg bo|', [1, 1, 1, 1], '/msg bob |'],
    ['without a longer beginning takes the first', '/m|', [1], '/msg |'],
    ['back and forth', '/m|', [1, 1, -1], '/msg |'],
    ['back around', '/m|', [1, -1], '/mute |'],
    ['back from the beginning in common', '/msg bo|', [1, -1], '/msg bobby |'],
    ['back at once: the last', '/m|', [-1], '/mute |'],
    ['replaces the end of the word, too', '/m|sg bob', [1, 1], '/mute| bob'],
    ['finds by parts', '/msg bot|', [1], '/msg deploy-bot |'],
    ['goes from the command on to its name', '/ms|', [1, 1], '/msg bob |'],
    ['within a sentence', 'ask @c|, please', [1], 'ask @carol |, please'],
    ['does nothing where there is nothing', 'hel|lo', [1], 'hel|lo'],
    ['Escape brings back what was typed', '/msg bo|x', [1, 1, 1, 0], '/msg bo|x'],
    ['Escape without a completion does nothing', '/m|', [0], '/m|'],
  ])('%s', (_name, picture, steps, result) => expect(pressed(picture, steps)).toBe(result));

  test('any edit ends it, and the next Tab begins anew', () => {
    const first = startCompletion(written('/m|'), 1, SOURCE);
    expect(first.completion).not.toBeNull();
    const edited = editInput(first.input, { type: 'insert', text: 'c' });
    expect(stepCompletion(edited, first.completion, 0)).toEqual({ input: edited, completion: null });
    expect(stepCompletion(edited, first.completion, 1)).toEqual({ input: edited, completion: null });
    expect(shown(stepCompletion(edited, first.completion, 1, SOURCE))).toBe('/msg carol |');
    const moved = editInput(first.input, { type: 'left' });
    expect(stepCompletion(moved, first.completion, 0).input).toBe(moved);
  });

  test('is one step to undo, however often it was pressed', () => {
    const before = editInput(editInput(EMPTY_INPUT, { type: 'insert', text: 'x' }), {
      type: 'set',
      text: '/msg bo',
    });
    let at = startCompletion(before, 1, SOURCE);
    for (let count = 0; count < 5; count++) at = stepCompletion(at.input, at.completion, 1);
    const undone = editInput(at.input, { type: 'undo' });
    expect([undone.text, undone.cursor]).toEqual(['/msg bo', 7]);
  });

  test('tells what there is to choose from', () => {
    const { completion } = startCompletion(written('/msg bo|'), 1, SOURCE);
    expect(completion).toMatchObject({ candidates: ['bob', 'bobby'], at: -1 });
    expect(stepCompletion(completion?.after ?? EMPTY_INPUT, completion, 1).completion).toMatchObject({
      at: 0,
    });
    expect(startCompletion(written('/mu|'), 1, SOURCE).completion).toBeNull();
  });

  test('divides no character of a beginning in common', () => {
    const source = { commands: [], names: ['x👍', 'x👎'] };
    expect(pressed('@|', [1], source)).toBe('@x|');
  });
});

test('whatever the text and the names are, what is around the word stays', () => {
  const seed = Number(process.env.MILENA_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
  const pieces = [
    '/',
    '/msg ',
    '/who ',
    '@',
    'b',
    'bob',
    ' ',
    ',',
    ';',
    '\n',
    '漢',
    '👩‍👩‍👧',
    '(',
    '.',
    '*',
    '\\',
    '|',
    '__proto__',
  ];
  for (let round = 0; round < sized(600, 2_000); round++) {
    const random = new Random(seed + round);
    const some = (most: number) =>
      Array.from({ length: random.below(most) }, () => random.pick(pieces)).join('');
    const source = { commands: SOURCE.commands, names: [...SOURCE.names, some(4), some(4)] };
    const [head, tail] = [some(6), some(4)];
    const typed = editInput(EMPTY_INPUT, { type: 'insert', text: head + tail });
    const input = { ...typed, cursor: editInput(EMPTY_INPUT, { type: 'insert', text: head }).text.length };
    const context = `seed ${seed + round}: ${JSON.stringify({ head, tail, names: source.names })}`;
    const found = completionsAt(input.text, input.cursor, source);
    if (found === null) continue;
    expect(found.from, context).toBeLessThanOrEqual(input.cursor);
    expect(found.to, context).toBeGreaterThanOrEqual(input.cursor);
    let at = startCompletion(input, random.pick([1, -1] as const), source);
    for (let step = 0; step < 3; step++) {
      expect(at.input.text.startsWith(input.text.slice(0, found.from)), context).toBe(true);
      expect(at.input.text.endsWith(input.text.slice(found.to)), context).toBe(true);
      if (at.completion === null) break;
      expect(stepCompletion(at.input, at.completion, 0).input, context).toBe(input);
      at = stepCompletion(at.input, at.completion, random.pick([1, -1] as const));
    }
  }
});

test('takes no time in a full input or with many names', () => {
  const names = Array.from({ length: 20_000 }, (_, index) => `user-${index}`);
  const began = performance.now();
  for (const text of [
    ' '.repeat(60_000),
    `/who ${'bob '.repeat(15_000)}`,
    'x@'.repeat(30_000),
    '/'.repeat(60_000),
  ]) {
    for (let count = 0; count < 20; count++) completionsAt(text, text.length, { ...SOURCE, names });
  }
  startCompletion(written('/msg u|'), 1, { ...SOURCE, names });
  expect(performance.now() - began).toBeLessThan(10_000);
});
