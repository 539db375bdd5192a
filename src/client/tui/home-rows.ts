import type { TalkState } from '../talk/display.ts';
import { type Row, span } from './rows.ts';
import { wrapText } from './wrap.ts';

/** What stands where no conversation is open: where one is, and what to do next. */
export function homeRows(talk: TalkState, conversations: number, columns: number): Row[] {
  const paragraphs = wordsFor(talk, conversations);
  return paragraphs.flatMap((text): Row[] => [
    [],
    ...wrapText(text, columns - 2, columns - 2).map((row): Row => [span(` ${row}`, 'dim')]),
  ]);
}

function wordsFor({ account, wanted, link, server }: TalkState, conversations: number): string[] {
  if (account === null && wanted === null) {
    const state =
      link.kind === 'online'
        ? 'Enter a name below. One that nobody has becomes your account.'
        : `Milena cannot reach ${server} yet and goes on trying. Is a frontend running there? ./start_frontend.sh starts one.`;
    return ['Welcome to Milena: messages that wait until they are read.', state];
  }
  if (conversations === 0) {
    return [
      'Nobody has written yet, and you have written to nobody.',
      '/list shows who there is; /msg NAME opens a conversation.',
    ];
  }
  return ['Alt+A opens the next unread conversation, Ctrl+B the list, /msg NAME any other.'];
}
