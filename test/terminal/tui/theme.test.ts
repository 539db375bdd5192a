import { describe, expect, test } from 'vitest';
import type { ThemeChoice } from '../../../src/terminal/setting-table.ts';
import { nameColour, type Style, type Theme, themeFor } from '../../../src/terminal/tui/theme.ts';

type Colour = readonly [red: number, green: number, blue: number];

const BLACK: Colour = [0, 0, 0];
const WHITE: Colour = [255, 255, 255];
const ANSI = /^(?:black|red|green|yellow|blue|magenta|cyan|white|gray|grey)(?:Bright)?$/;

/** The contrast of WCAG 2, from 1 to 21. */
function contrast(one: Colour, other: Colour): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}

function luminance([red, green, blue]: Colour): number {
  const linear = (value: number) =>
    value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function parsed(hex: string): Colour {
  expect(hex).toMatch(/^#[0-9a-f]{6}$/);
  const part = (at: number) => Number.parseInt(hex.slice(at, at + 2), 16);
  return [part(1), part(3), part(5)];
}

/** What Chalk makes of a colour where there are 256, as xterm shows it. */
function of256([red, green, blue]: Colour): Colour {
  if (red === green && green === blue) {
    const grey = 8 + 10 * Math.round(((red - 8) / 247) * 24);
    return red < 8 ? BLACK : red > 248 ? WHITE : [grey, grey, grey];
  }
  const step = (value: number) => [0, 95, 135, 175, 215, 255][Math.round((value / 255) * 5)] ?? 0;
  return [step(red), step(green), step(blue)];
}

function stylesOf(theme: Theme): [string, Style][] {
  const { names, ...roles } = theme;
  return [
    ...Object.entries(roles),
    ...names.map((style, index): [string, Style] => [`name ${index}`, style]),
  ];
}

const ON_LIGHT = { COLORFGBG: '0;15' };

describe('colours can be read', () => {
  test.each<[string, ThemeChoice, Record<string, string>, Colour, number]>([
    ['dark', 'dark', {}, BLACK, 4.5],
    ['light', 'light', {}, WHITE, 4.5],
    ['high contrast', 'high-contrast', {}, BLACK, 7],
    ['high contrast on white', 'high-contrast', ON_LIGHT, WHITE, 7],
  ])('%s', (_name, choice, env, background, least) => {
    for (const depth of [8, 24]) {
      for (const [role, { color, dimColor }] of stylesOf(themeFor(choice, env, depth))) {
        // How dim dim is, nobody knows.
        expect(dimColor, role).toBeUndefined();
        if (color === undefined) continue;
        expect(contrast(parsed(color), background), `${role}: ${color}`).toBeGreaterThanOrEqual(least);
        expect(contrast(of256(parsed(color)), background), `${role}: ${color} of 256`).toBeGreaterThanOrEqual(
          least,
        );
      }
    }
  });

  test('names have as many colours where there are 256', () => {
    for (const choice of ['dark', 'light'] as const) {
      const colours = themeFor(choice, {}, 8).names.map(({ color }) => of256(parsed(color ?? '')).join());
      expect(new Set(colours).size).toBe(colours.length);
    }
  });

  test.each<ThemeChoice>(['auto', 'dark', 'light', 'high-contrast'])(
    '%s has but names of 16 colours',
    (choice) => {
      for (const env of [{}, ON_LIGHT]) {
        for (const [role, { color }] of stylesOf(themeFor(choice, env, 4))) {
          if (color !== undefined) expect(color, role).toMatch(ANSI);
        }
      }
    },
  );
});

describe('which one', () => {
  const [dark, light] = [themeFor('dark', {}, 24), themeFor('light', {}, 24)];
  const mono = themeFor('mono', {}, 24);

  test.each<[string | undefined, Theme]>([
    [undefined, dark],
    ['', dark],
    ['15;0', dark],
    ['15;default;0', dark],
    ['0;15', light],
    ['0;default;15', light],
    ['0;7', light],
    ['12;8', dark],
    ['0;11', light],
    ['15;default', dark],
    ['nonsense', dark],
  ])('with COLORFGBG %j', (colours, theme) => {
    expect(themeFor('auto', { COLORFGBG: colours }, 24)).toEqual(theme);
    expect(themeFor('dark', { COLORFGBG: colours }, 24)).toEqual(dark);
    expect(themeFor('light', { COLORFGBG: colours }, 24)).toEqual(light);
  });

  test.each<ThemeChoice>(['auto', 'dark', 'light', 'high-contrast', 'mono'])(
    '%s without colours',
    (choice) => {
      expect(themeFor(choice, { NO_COLOR: '1' }, 24)).toEqual(mono);
      expect(themeFor(choice, {}, 1)).toEqual(mono);
    },
  );

  test('an empty NO_COLOR says nothing', () => {
    expect(themeFor('dark', { NO_COLOR: '' }, 24)).toEqual(dark);
  });

  test('mono has no colours', () => {
    for (const [role, { color }] of stylesOf(mono)) expect(color, role).toBeUndefined();
  });
});

test('nothing depends on colour alone', () => {
  const choices: ThemeChoice[] = ['dark', 'light', 'high-contrast', 'mono'];
  for (const theme of choices.flatMap((choice) => [4, 24].map((depth) => themeFor(choice, {}, depth)))) {
    expect(theme.selected.inverse).toBe(true);
    for (const style of [theme.unread, theme.error, theme.refused, theme.offline, theme.prompt, theme.own]) {
      expect(style.bold).toBe(true);
    }
    for (const name of theme.names) expect(name.bold).toBe(true);
    expect(theme.text).toEqual({});
  }
});

describe('names', () => {
  const theme = themeFor('dark', {}, 24);

  test('keep their colours', () => {
    expect(nameColour(theme, 'bob')).toBe(nameColour(theme, 'bob'));
    // From one release to the next as well.
    expect(['alice', 'bob', 'carol', ''].map((name) => theme.names.indexOf(nameColour(theme, name)))).toEqual(
      [9, 4, 2, 1],
    );
  });

  test('share them evenly', () => {
    const counts = new Map<Style, number>();
    for (let index = 0; index < 10_000; index++) {
      const style = nameColour(theme, `user-${index}`);
      counts.set(style, (counts.get(style) ?? 0) + 1);
    }
    expect(counts.size).toBe(theme.names.length);
    for (const count of counts.values()) expect(count).toBeGreaterThan(700);
  });
});
