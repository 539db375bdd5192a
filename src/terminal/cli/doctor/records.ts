/* Whether what frontends have written can be told from what others have: docs/configuration.md, "Going over". */
import kafkajs from 'kafkajs';
import { pino } from 'pino';
import { existingKeysOf } from '../../../config/cluster-keys.ts';
import type { Config } from '../../../config/config.ts';
import type { ClusterKey } from '../../../core/cluster-key.ts';
import { EngineError } from '../../../core/errors.ts';
import { proofsOfAccounts } from '../../../storage/kafka/tables/accounts-view.ts';
import { UNPROVEN_REMEDY, unprovenText } from '../../../storage/kafka/tables/unproven.ts';
import { ACCOUNTS_TOPIC } from '../../../storage/kafka/wire/topics.ts';
import { EXIT } from '../exit.ts';
import { type Check, failed, hint, ok } from './check.ts';
import { notSeen } from './not-seen.ts';

const { ConfigResourceTypes } = kafkajs;
/** What frontends sign beside messages. */
const TOPICS = ['milena.accounts', 'milena.sessions', 'milena.rooms', 'milena.members', 'milena.notices'];
/** A million accounts take some ten seconds. */
const READ_TIMEOUT_MS = 10_000;
const SETTING = 'message.timestamp.type';

/** @param admin a connected one */
export async function checkRecords(config: Config, admin: kafkajs.Admin): Promise<Check> {
  const name = 'records';
  if (config.acceptsUnsigned) {
    const text =
      'MILENA_UNSIGNED_RECORDS=accept: whoever may write to the topics of accounts and sessions is believed.';
    return hint(name, text, 'Take it out when a frontend’s line "accounts read" says toSign 0.');
  }
  const there = new Set(await admin.listTopics());
  const asked = TOPICS.filter((topic) => there.has(topic));
  if (asked.length === 0) return ok(name, 'none yet');
  const keys = existingKeysOf(config);
  const unproven = keys !== null && there.has(ACCOUNTS_TOPIC) ? await checkProofs(name, config, keys) : null;
  if (unproven !== null) return unproven;
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: asked.map((topic) => ({
      type: ConfigResourceTypes.TOPIC,
      name: topic,
      configNames: [SETTING],
    })),
  });
  const wrong = resources
    .filter(({ configEntries }) => configEntries[0]?.configValue !== 'LogAppendTime')
    .map(({ resourceName }) => resourceName);
  if (wrong.length === 0 && keys === null) {
    return hint(
      name,
      `Not looked at whether accounts are signed: there are no keys in ${config.clusterKeyFile}.`,
      'Ask where a frontend runs, or name its keys in MILENA_CLUSTER_KEY_FILE.',
    );
  }
  if (wrong.length === 0)
    return ok(name, 'accounts and rooms are signed by frontends of yours, so nobody else can change them');
  const text = `${wrong.join(', ')}: ${SETTING} is not LogAppendTime, so no frontend believes what is written there.`;
  return hint(
    name,
    text,
    'A frontend that may alter these topics sets it when it starts; its log says if it may not.',
  );
}

/** Whether all accounts are signed with these keys; null: yes. */
async function checkProofs(name: string, config: Config, keys: readonly ClusterKey[]): Promise<Check | null> {
  try {
    const proofs = await proofsOfAccounts(config, keys, pino({ level: 'silent' }), READ_TIMEOUT_MS);
    if (proofs === null || proofs.unproven === 0) return null;
    const text = unprovenText(proofs);
    // Some may be anybody's; where there are no others, it is most likely that a key or a step of going over is missing.
    return proofs.size > 0
      ? hint(name, text, UNPROVEN_REMEDY)
      : failed(name, text, UNPROVEN_REMEDY, EXIT.CONFIG);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return notSeen(name, 'The accounts could not be read', error, 'Try again when Kafka has less to do.');
  }
}
