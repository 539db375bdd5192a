/* Whether each account has the topic that is its inbox; and mending that (docs/operations.md, "Topics that were touched"). */
import { pino } from 'pino';
import { existingKeysOf } from '../../../config/cluster-keys.ts';
import type { Config } from '../../../config/config.ts';
import { EngineError } from '../../../core/errors.ts';
import { changeSettings } from '../../../storage/kafka/check/topic-settings.ts';
import {
  findTroubles,
  type InboxesFound,
  type InboxTrouble,
} from '../../../storage/kafka/inbox/inbox-troubles.ts';
import { type AccountsView, withAccounts } from '../../../storage/kafka/tables/accounts-view.ts';
import { KafkaError } from '../../../storage/kafka/wire/kafka-error.ts';
import { INBOX_KEEPS } from '../../../storage/kafka/wire/topics.ts';
import { EXIT, Failure } from '../exit.ts';
import { type Check, failed, hint, ok } from './check.ts';
import { notSeen } from './not-seen.ts';

const NAME = 'inboxes';
/** A million accounts take some ten seconds. */
const READ_TIMEOUT_MS = 30_000;
/** Named in a sentence about many. */
const MOST_NAMES = 10;
const SILENT = pino({ level: 'silent' });

const TEXTS = {
  gone: 'its topic is gone, with the messages in it',
  replaced: 'another topic has its name: it was deleted and made again, or comes from a copy',
  partitions: 'it has several partitions: what others write to any but the first is never read',
  settings: 'its settings let messages expire, or doubt them',
} as const satisfies Record<InboxTrouble['kind'], string>;

/** What a repair does about it; null: nothing can be done from here. */
const REPAIRS = {
  gone: 'makes it anew, empty',
  replaced: 'takes that topic over with what is in it; receipts and positions of the old one end',
  partitions: null,
  settings: 'sets them',
} as const satisfies Record<InboxTrouble['kind'], string | null>;

/** For all inboxes one; none where there are no keys here to read the accounts with. */
export async function checkInboxes(config: Config): Promise<Check[]> {
  const keys = existingKeysOf(config);
  if (keys === null) return [];
  try {
    const troublesOf = (all: AccountsView) => findTroubles(all, config.inboxPrefix);
    const found = await withAccounts(config, keys, SILENT, READ_TIMEOUT_MS, troublesOf);
    return found === null ? [] : [checkOf(found)];
  } catch (error) {
    if (!isKafkas(error)) throw error;
    return [notSeen(NAME, 'They could not be looked at', error, 'Try again when Kafka answers.')];
  }
}

/** What becomes of what one cannot mend. */
const NOT_FROM_HERE =
  'It cannot be taken back: let its owner read everything, delete the topic, and let its owner log in, which makes it anew.';

function checkOf(found: InboxesFound): Check {
  const { accounts, troubles } = found;
  const lost = troubles.filter(({ kind }) => kind === 'gone' || kind === 'replaced');
  if (lost.length > 0) {
    const text = `Topics of inboxes that were deleted or replaced: ${named(lost.map(({ topic }) => topic))}.`;
    const next = 'A login of the owner mends each; milena doctor --repair all, and says first what it does.';
    return failed(NAME, text, next, EXIT.FAULT);
  }
  const [first] = troubles;
  if (first !== undefined) {
    const alike = troubles.filter(({ kind }) => kind === first.kind).map(({ topic }) => topic);
    const next = REPAIRS[first.kind] === null ? NOT_FROM_HERE : 'milena doctor --repair';
    return hint(NAME, `${named(alike)}: ${TEXTS[first.kind]}.`, next);
  }
  const have = accounts === 1 ? '1 has its topic' : `${accounts} have their topics`;
  return checkOfLeftOver(found, have) ?? ok(NAME, have);
}

/** Of topics that no known account has; null where there are none. */
function checkOfLeftOver({ accounts, leftOver, unproven }: InboxesFound, have: string): Check | null {
  if (leftOver.length === 0) return null;
  const all = named(leftOver.map(({ topic }) => topic));
  if (unproven > 0) {
    const which = accounts === 0 ? 'the accounts cannot' : 'some accounts cannot';
    const text = `Not looked at whose these are: ${which} be read with this key. ${all}.`;
    return hint(NAME, text, 'Give the frontends’ key (MILENA_CLUSTER_KEYS). Until then delete none of them.');
  }
  const full = leftOver.filter(({ hasMail }) => hasMail).map(({ topic }) => topic);
  if (full.length === 0) return ok(NAME, `${have}; of nobody, and empty: ${all}`);
  const text = `Of nobody, with messages in them that nobody reads: ${named(full)}.`;
  return hint(NAME, text, 'Did a program misspell a name? Whoever makes that account does not get them.');
}

function named(topics: readonly string[]): string {
  const more = topics.length - MOST_NAMES;
  return topics.slice(0, MOST_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

export interface RepairOptions {
  readonly config: Config;
  /** Accounts whose topic is not theirs any more, and that are to be removed: anybody can make them again then. */
  readonly free: readonly string[];
  readonly show: (check: Check) => Promise<void>;
  /** Asks whether to go on; throws where not. */
  readonly confirm: () => Promise<void>;
}

/**
 * Says what would be done, asks, and does it.
 * @returns how many things are left to do
 * @throws Failure
 */
export async function repairInboxes({ config, free, show, confirm }: RepairOptions): Promise<number> {
  const keys = existingKeysOf(config);
  if (keys === null) {
    const text = `There is no key in ${config.clusterKeyFile}: accounts are signed with the frontends' keys.`;
    throw new Failure(EXIT.USAGE, `${text} Repair where a frontend runs, or set MILENA_CLUSTER_KEYS.`);
  }
  try {
    const left = await withAccounts(config, keys, SILENT, READ_TIMEOUT_MS, async (view) => {
      const { troubles } = await findTroubles(view, config.inboxPrefix);
      const plan = troubles.map((trouble) => ({ trouble, deed: deedFor(trouble, free) }));
      demandFreeable(free, troubles);
      for (const { trouble, deed } of plan) {
        const text = `${trouble.topic}: ${TEXTS[trouble.kind]}.`;
        const next = deed === null ? `Nothing can be done from here. ${NOT_FROM_HERE}` : `Repairing ${deed}.`;
        await show(hint(NAME, text, next));
      }
      const todo = plan.filter(({ deed }) => deed !== null);
      if (todo.length === 0) {
        await show(ok(NAME, 'nothing to repair'));
        return 0;
      }
      await confirm();
      await view.learnTime();
      let left = 0;
      for (const { trouble } of todo) {
        const done = await repair(view, trouble, free);
        if (done.state === 'failed') left += 1;
        await show(done);
      }
      return left;
    });
    if (left === null)
      throw new Failure(EXIT.UNAVAILABLE, 'There are no accounts yet: no frontend has started here.');
    return left;
  } catch (error) {
    if (!isKafkas(error)) throw error;
    throw new Failure(EXIT.UNAVAILABLE, `Kafka did not do what was asked: ${error.message}.`, {
      cause: error,
    });
  }
}

/** Behind "Repairing". */
function deedFor({ account, kind }: InboxTrouble, free: readonly string[]): string | null {
  if (!free.includes(account.name)) return REPAIRS[kind];
  return kind === 'gone' || kind === 'replaced' ? `removes the account ${account.name}` : REPAIRS[kind];
}

/** @throws Failure where an account has its topic: who removes that needs its password */
function demandFreeable(free: readonly string[], troubles: readonly InboxTrouble[]): void {
  const lost = troubles.filter(({ kind }) => kind === 'gone' || kind === 'replaced');
  const wrong = free.find((name) => !lost.some(({ account }) => account.name === name));
  if (wrong === undefined) return;
  const text = `${wrong} is no account whose topic is gone or replaced`;
  throw new Failure(EXIT.USAGE, `--free ${wrong}: ${text}: its owner removes it with milena delete.`);
}

async function repair(
  { accounts, cluster }: AccountsView,
  { account, topic, kind }: InboxTrouble,
  free: readonly string[],
): Promise<Check> {
  try {
    if (kind === 'settings') {
      const refused = await changeSettings(cluster, [topic], INBOX_KEEPS);
      for (const error of refused.values()) throw error;
      return ok(NAME, `${topic}: set`);
    }
    if (free.includes(account.name)) {
      await accounts.remove(account);
      return ok(NAME, `${topic}: the account ${account.name} is removed, its name is free`);
    }
    const { topicId } = await accounts.mend(account);
    const deed = kind === 'gone' ? 'made anew, empty' : 'taken over with what is in it';
    return ok(NAME, `${topic}: ${topicId === account.topicId ? 'it is there after all' : deed}`);
  } catch (error) {
    if (!isKafkas(error)) throw error;
    return failed(NAME, `${topic}: ${error.message}.`, null, EXIT.UNAVAILABLE);
  }
}

function isKafkas(error: unknown): error is EngineError | KafkaError {
  return error instanceof EngineError || error instanceof KafkaError;
}
