/* Whether what frontends have written can be told from what others have: docs/configuration.md, "Going over". */
import kafkajs from 'kafkajs';
import type { Config } from '../../../config.ts';
import { type Check, hint, ok } from './check.ts';

const { ConfigResourceTypes } = kafkajs;
/** What frontends sign beside messages. */
const TOPICS = ['milena.accounts', 'milena.sessions', 'milena.control'];
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
  if (wrong.length === 0) return ok(name, 'only signed ones count, and copies are known by their time');
  const text = `${wrong.join(', ')}: ${SETTING} is not LogAppendTime, so no frontend believes what is written there.`;
  return hint(
    name,
    text,
    'A frontend that may alter these topics sets it when it starts; its log says if it may not.',
  );
}
