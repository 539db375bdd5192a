import type { CommandName } from './commands.ts';
import type { Context } from './context.ts';

/** Where each command is. Loaded only when it runs: each brings what it needs and no more. */
export const LOADERS: Readonly<
  Record<CommandName, () => Promise<{ readonly run: (context: Context) => Promise<void> }>>
> = {
  send: () => import('./send.ts'),
  listen: () => import('./listen.ts'),
  retrieve: () => import('./retrieve.ts'),
  list: () => import('./list.ts'),
  status: () => import('./status.ts'),
  room: () => import('./room.ts'),
  create: () => import('./create.ts'),
  delete: () => import('./delete.ts'),
  passwd: () => import('./passwd.ts'),
  search: () => import('./search.ts'),
  export: () => import('./export.ts'),
  doctor: () => import('./doctor.ts'),
  completion: () => import('./completion.ts'),
  help: () => import('./help-command.ts'),
};
