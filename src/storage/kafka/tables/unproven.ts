import type { TableState } from './table-state.ts';

/** What is known of who wrote the accounts. */
export type Proofs = Pick<TableState<unknown>, 'size' | 'unproven' | 'hasMoreUnproven'>;

/** For an operator: that there are names of which nobody can tell who made them, and what that means. */
export function unprovenText({ size, unproven, hasMoreUnproven }: Proofs): string {
  const count = `${unproven}${hasMoreUnproven ? ' and more' : ''} ${unproven === 1 ? 'name' : 'names'}`;
  const where =
    size === 0 ? 'No account can be used' : `Beside ${size} ${size === 1 ? 'account' : 'accounts'}`;
  const text = `${where}: nothing of ${count} is signed with a key of this frontend.`;
  return `${text} Nobody can log in to them or make them anew, and their mail stays.`;
}

/** What to do about it. */
export const UNPROVEN_REMEDY =
  'Of a version that did not sign, or from a backup: start once with MILENA_UNSIGNED_RECORDS=accept (docs/configuration.md, ' +
  '"Going over"). Signed with other keys: give those to it (MILENA_CLUSTER_KEYS or MILENA_CLUSTER_KEY_FILE). Neither: ' +
  'somebody else writes to milena.accounts; take the right to do so away.';
