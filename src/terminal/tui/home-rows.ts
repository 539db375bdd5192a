import type { ChatState, Question } from '../chat/display.ts';
import type { Bindings } from './bindings.ts';
import { type Row, span } from './rows.ts';
import type { Screen } from './screen.ts';
import { wrapText } from './wrap.ts';

/** What stands where no conversation is open: where one is, and what to do next. */
export function homeRows({ talk, conversations, question, bindings }: Screen, columns: number): Row[] {
  const paragraphs = wordsFor(talk, conversations.length, question, bindings);
  return paragraphs.flatMap((text): Row[] => [
    [],
    ...wrapText(text, columns - 2, columns - 2).map((row): Row => [span(` ${row}`, 'dim')]),
  ]);
}

function wordsFor(
  talk: ChatState,
  conversations: number,
  question: Question | null,
  bindings: Bindings,
): string[] {
  const { account, wanted, link, server } = talk;
  if (conversations > 0) {
    const next = bindings.shown('next-unread') ?? '/next';
    const list = bindings.shown('list');
    return [
      `${next} opens the next unread conversation, ${list === null ? '' : `${list} the list, `}/msg NAME any other.`,
    ];
  }
  if (account !== null || wanted !== null) {
    return [
      'Nobody has written yet, and you have written to nobody.',
      '/list shows who there is; /msg NAME opens a conversation.',
    ];
  }
  const welcome = 'Welcome to Milena: messages that wait until they are read.';
  if (link.kind !== 'online') {
    const running = 'Is a frontend running there? ./start_frontend.sh starts one.';
    return [welcome, `Milena cannot reach ${server} yet and goes on trying. ${running}`];
  }
  if (question === null) return [welcome, '/create NAME makes an account, /login NAME enters one.'];
  // Any other question is about the name that was entered.
  if (!question.orCommand) return [welcome];
  return [welcome, 'Enter a name below. One that nobody has becomes your account.'];
}
