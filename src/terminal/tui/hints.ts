import { cells, shorten } from './cells.ts';
import { hitPlace } from './hits.ts';
import type { Screen } from './screen.ts';

/** Every prompt ends with it. */
export const PROMPT_SIGN = ' › ';

/** What stands in front of the input: what is asked, or who would get the text. */
export function promptFor({ question, chat, search }: Screen): string {
  if (search !== null) return ` ${search.isMissing ? 'not found' : 'search'}: ${search.words}${PROMPT_SIGN}`;
  if (question !== null) return ` ${question.prompt}${PROMPT_SIGN}`;
  // Version 2 takes messages without a connection, too.
  const sender = chat.account ?? chat.wanted;
  return chat.to === null || sender === null || chat.to.kind === 'external'
    ? PROMPT_SIGN
    : ` ${chat.to.name}${PROMPT_SIGN}`;
}

/** The last row: what can be done now, the most useful first, since a narrow window cuts off the end. */
export function hintFor(screen: Screen): string {
  const { question, page, picked, chat, bindings, working } = screen;
  if (working !== null) return working;
  const key = (name: string, does: string) => bindings.hint(does, name);
  const choose = bindings.hint('choose', 'previous', 'next');
  if (screen.search !== null) {
    return hints(
      key('reverse-search-history', 'older'),
      key('accept-line', 'takes it'),
      key('cancel', 'as it was'),
    );
  }
  if (question !== null) return question.hint;
  if (page?.type === 'hits') return hints(choose, key('accept-line', 'goes there'), key('cancel', 'back'));
  if (page?.type === 'links') {
    const enter = key('accept-line', page.canOpen ? 'opens' : 'copies');
    return hints(choose, enter, page.canOpen ? key('copy', 'copies') : [], key('cancel', 'back'));
  }
  if (page !== null) return hints(key('cancel', 'back'), bindings.hint('', 'page-up', 'page-down'));
  if (picked !== null) return hints(choose, key('accept-line', 'opens'), key('cancel', 'back'));
  if (screen.completion !== null) {
    return hints(key('complete', 'next'), key('complete-back', 'back'), key('cancel', 'as it was'));
  }
  if (screen.walk !== null) {
    const { picked, hits } = screen.walk;
    return hints(
      hitPlace(screen.walk),
      picked < hits.length - 1 ? key('next-hit', 'older') : [],
      picked > 0 ? key('previous-hit', 'newer') : [],
      key('cancel', 'ends it'),
    );
  }
  if (chat.link.kind !== 'online') return 'Trying again by itself · what you send waits (⧖) · /help · /quit';
  if (chat.account === null) return '/login NAME · /create NAME · /help · /quit';
  if (chat.to === null) return hints('/msg NAME', '/list', key('list', 'list'), '/help');
  const nextUnread = key('next-unread', 'next unread');
  if (chat.to.kind === 'external')
    return hints('from a program: no answers', '/msg NAME', nextUnread, '/help');
  return hints(
    key('accept-line', 'send'),
    key('newline', 'newline'),
    nextUnread,
    key('list', 'list'),
    '/help',
  );
}

/** Stands between hints. */
const BETWEEN = ' · ';

/** Beside each other. */
export function hints(...parts: readonly (string | readonly string[])[]): string {
  return parts.flat().join(BETWEEN);
}

/** As many hints as there is room for; where there is none for the first one, its first words. */
export function fitHints(text: string, columns: number): string {
  if (cells(text) <= columns) return text;
  const parts = text.split(BETWEEN);
  for (let count = parts.length - 1; count > 0; count--) {
    const some = hints(...parts.slice(0, count));
    if (cells(some) <= columns) return some;
  }
  const cut = shorten(parts[0] ?? '', columns);
  const blank = cut.lastIndexOf(' ');
  return blank > 0 && cut.endsWith('…') ? `${cut.slice(0, blank)}…` : cut;
}
