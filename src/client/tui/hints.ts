import type { Screen } from './screen.ts';

/** What stands in front of the input: who would get the text. */
export function promptFor(screen: Screen): string {
  if (screen.confirming !== null) return `delete ${screen.confirming}? › `;
  return screen.to === null || screen.account === null ? '› ' : `${screen.to} › `;
}

/** The last row: what can be done now, the most useful first, since a narrow window cuts off the end. */
export function hintFor(screen: Screen): string {
  if (screen.below > 0) {
    return screen.unseen > 0 ? `↓ ${screen.unseen} new below · PageDown` : '↓ more below · PageDown';
  }
  if (screen.confirming !== null) return 'yes deletes it · anything else keeps it';
  if (screen.link.kind !== 'online') return 'Waiting for the server · /help · /quit';
  if (screen.account === null) return '/login NAME · /create NAME · /help · /quit';
  if (screen.to === null) return '/msg NAME TEXT · /list · /retrieve · /help';
  return `Enter sends to ${screen.to} · /msg NAME · /retrieve · /help`;
}
