import { COMMANDS, type CommandName } from './commands.ts';
import { HELP } from './help.ts';

/** A part of a command's help as the manual and the completions take it. */
export type HelpPart =
  | { readonly type: 'usage'; readonly lines: readonly string[] }
  | { readonly type: 'prose'; readonly text: string }
  | { readonly type: 'example'; readonly lines: readonly string[] }
  | { readonly type: 'option'; readonly flag: string; readonly value: string; readonly about: string };

const OPTION = /^ {2}--([\w-]+)(?: ([^\s,]+(?:,…)?))? {2,}(\S.*)$/;

/** The parts of a help text, in its order; what it says of settings is left out: every command has those. */
export function helpParts(text: string): HelpPart[] {
  const parts: HelpPart[] = [];
  for (const block of text.trimEnd().split(/\n{2,}/)) {
    const lines = block.split('\n');
    if (block.startsWith('Usage:')) {
      parts.push({ type: 'usage', lines: lines.map((line) => line.replace(/^Usage:/, '').trim()) });
    } else for (const part of partsOf(lines)) parts.push(part);
  }
  return parts;
}

/** What each option of a command does, in a few words. */
export function aboutOptions(name: CommandName): ReadonlyMap<string, string> {
  const options = helpParts(HELP[name]).filter((part) => part.type === 'option');
  const texts = new Map(options.map(({ flag, about }) => [flag, brief(about)]));
  return new Map(Object.keys(COMMANDS[name].options).map((flag) => [flag, texts.get(flag) ?? '']));
}

function partsOf(lines: readonly string[]): HelpPart[] {
  const parts: HelpPart[] = [];
  for (const line of lines) {
    const last = parts.at(-1);
    const option = OPTION.exec(line);
    if (option !== null) {
      const [, flag = '', value = '', about = ''] = option;
      parts.push({ type: 'option', flag, value, about });
    } else if (/^ {2}--/.test(line)) {
      // Of the settings.
    } else if (/^ {10}/.test(line) && last?.type === 'option') {
      parts.splice(-1, 1, { ...last, about: `${last.about} ${line.trim()}` });
    } else if (line.startsWith('  ')) {
      const before = last?.type === 'example' ? last.lines : [];
      parts.splice(before.length > 0 ? -1 : parts.length, 1, {
        type: 'example',
        lines: [...before, line.trim()],
      });
    } else if (last?.type === 'prose') {
      parts.splice(-1, 1, { type: 'prose', text: `${last.text} ${line}` });
    } else parts.push({ type: 'prose', text: line });
  }
  return parts;
}

/** Up to where it goes into detail. */
function brief(about: string): string {
  return about.split(/; |\. |: docs\//)[0] ?? '';
}
