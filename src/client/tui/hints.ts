import { EMPTY_INPUT, type InputLine, maskInput } from './input-line.ts';
import type { Screen } from './screen.ts';

/** What stands in front of the input: what is asked, or who would get the text. */
export function promptFor(screen: Screen): string {
  if (screen.question !== null) return `${screen.question.prompt} › `;
  // Version 2 takes messages without a connection, too.
  const sender = screen.account ?? (screen.protocol === 2 ? screen.wanted : null);
  return screen.to === null || sender === null ? '› ' : `${screen.to} › `;
}

/** What stands behind it, a password as dots. */
export function inputFor({ question, answer, input }: Screen): InputLine {
  if (question === null) return input;
  return question.masked ? maskInput(answer) : { ...EMPTY_INPUT, text: answer.text, cursor: answer.cursor };
}

/** The last row: what can be done now, the most useful first, since a narrow window cuts off the end. */
export function hintFor(screen: Screen): string {
  if (screen.question !== null) return screen.question.hint;
  if (screen.below > 0) {
    return screen.unseen > 0 ? `↓ ${screen.unseen} new below · PageDown` : '↓ more below · PageDown';
  }
  if (screen.link.kind !== 'online') return 'Waiting for the server · /help · /quit';
  if (screen.account === null) return '/login NAME · /create NAME · /help · /quit';
  if (screen.to === null) return '/msg NAME TEXT · /list · /retrieve · /help';
  return `Enter sends to ${screen.to} · /msg NAME · /retrieve · /help`;
}
