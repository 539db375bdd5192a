import { describe, expect, it } from 'vitest';
import type { TerminalReply } from '../../../src/terminal/keyboard/input-event.ts';
import { askBackground, isLight } from '../../../src/terminal/tui/background.ts';
import { dependsOnBackground, themeFor } from '../../../src/terminal/tui/theme.ts';

const WHITE = { red: 1, green: 1, blue: 1 };
const BLACK = { red: 0, green: 0, blue: 0 };

class Answering {
  readonly written: string[] = [];
  listener: ((reply: TerminalReply) => void) | null = null;

  write(text: string): void {
    this.written.push(text);
  }

  onReply(listener: (reply: TerminalReply) => void): () => void {
    this.listener = listener;
    return () => {
      if (this.listener === listener) this.listener = null;
    };
  }
}

describe('the background', () => {
  it('is what the terminal says, whenever that is, once', () => {
    const terminal = new Answering();
    const said: unknown[] = [];
    askBackground(terminal, (background) => said.push(background));
    expect(terminal.written).toEqual(['\u001b]11;?\u001b\\']);
    terminal.listener?.({ kind: 'other', text: 'x' });
    expect(said).toEqual([]);
    terminal.listener?.({ kind: 'background', ...WHITE });
    expect(said).toEqual([expect.objectContaining(WHITE)]);
    expect(terminal.listener).toBeNull();
  });

  it('is light where dark text can be read better', () => {
    expect(isLight(WHITE)).toBe(true);
    expect(isLight(BLACK)).toBe(false);
    const rgb = (hex: number) => ({
      red: (hex >> 16) / 255,
      green: ((hex >> 8) & 255) / 255,
      blue: (hex & 255) / 255,
    });
    // Solarized, Gruvbox, Dracula, Nord, and VS Code's dark one
    for (const light of [0xfdf6e3, 0xfbf1c7, 0xeee8d5]) expect(isLight(rgb(light))).toBe(true);
    for (const dark of [0x002b36, 0x282828, 0x282a36, 0x2e3440, 0x1e1e1e])
      expect(isLight(rgb(dark))).toBe(false);
  });

  it('decides the theme before COLORFGBG does, and nothing that was chosen', () => {
    const onLight = themeFor('auto', { COLORFGBG: '15;0' }, 24, WHITE);
    expect(onLight).toEqual(themeFor('light', {}, 24));
    expect(themeFor('auto', { COLORFGBG: '0;15' }, 24, BLACK)).toEqual(themeFor('dark', {}, 24));
    expect(themeFor('dark', {}, 24, WHITE)).toEqual(themeFor('dark', {}, 24));
    expect(dependsOnBackground('auto', {}, 24)).toBe(true);
    expect(dependsOnBackground('dark', {}, 24)).toBe(false);
    expect(dependsOnBackground('auto', { NO_COLOR: '1' }, 24)).toBe(false);
    expect(dependsOnBackground('auto', {}, 1)).toBe(false);
  });
});
