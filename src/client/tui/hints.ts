import type { Screen } from './screen.ts';

/** Every prompt ends with it. */
export const PROMPT_SIGN = ' › ';

/** What stands in front of the input: what is asked, or who would get the text. */
export function promptFor({ question, talk, search }: Screen): string {
  if (search !== null) return ` ${search.isMissing ? 'not found' : 'search'}: ${search.words}${PROMPT_SIGN}`;
  if (question !== null) return ` ${question.prompt}${PROMPT_SIGN}`;
  // Version 2 takes messages without a connection, too.
  const sender = talk.account ?? (talk.protocol === 2 ? talk.wanted : null);
  return talk.to === null || sender === null || talk.to.kind === 'external'
    ? PROMPT_SIGN
    : ` ${talk.to.name}${PROMPT_SIGN}`;
}

/** The last row: what can be done now, the most useful first, since a narrow window cuts off the end. */
export function hintFor(screen: Screen): string {
  const { question, page, picked, talk, bindings, working } = screen;
  if (working !== null) return working;
  const key = (name: string, does: string) => {
    const shown = bindings.shown(name);
    return shown === null ? [] : [`${shown} ${does}`];
  };
  const hints = (...parts: (string | readonly string[])[]) => parts.flat().join(' · ');
  if (screen.search !== null) {
    return hints(key('reverse-search-history', 'older'), 'Enter takes it', key('cancel', 'as it was'));
  }
  if (question !== null) return question.hint;
  if (page?.type === 'found') return '↑ ↓ choose · Enter goes there · Esc back';
  if (page !== null) return 'Esc back · PageUp PageDown';
  if (picked !== null) return '↑ ↓ choose · Enter opens · Esc back';
  if (screen.completion !== null) return 'Tab next · Shift+Tab back · Esc as it was';
  if (talk.link.kind !== 'online') return 'Trying again by itself · what you send waits (⧖) · /help · /quit';
  if (talk.account === null) return '/login NAME · /create NAME · /help · /quit';
  if (talk.to === null) return hints('/msg NAME', '/list', key('list', 'list'), '/help');
  const nextUnread = key('next-unread', 'next unread');
  if (talk.to.kind === 'external')
    return hints('from a program: no answers', '/msg NAME', nextUnread, '/help');
  return hints(
    key('accept-line', 'send'),
    key('newline', 'newline'),
    nextUnread,
    key('list', 'list'),
    '/help',
  );
}
