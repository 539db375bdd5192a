import { suggest } from '../util/suggest.ts';
import { SETTINGS } from './config.ts';

/** What others than frontends read: the scripts, also from each other, and the client (src/terminal/setting-table.ts). */
const OTHERS = [
  ...['MILENA_KAFKA', 'MILENA_KAFKA_PORT', 'MILENA_KAFKA_IMAGE', 'MILENA_KAFKA_HEAP', 'MILENA_STATE_DIR'],
  ...[
    'MILENA_CLUSTER_HEAP',
    'MILENA_OWN_KAFKA',
    'MILENA_SERVER',
    'MILENA_USER',
    'MILENA_PASSWORD',
    'MILENA_PASSWORD_FILE',
  ],
  ...[
    'MILENA_NEW_PASSWORD',
    'MILENA_TLS',
    'MILENA_TLS_CA',
    'MILENA_INSECURE',
    'MILENA_PROTOCOL',
    'MILENA_THEME',
  ],
  ...[
    'MILENA_PASSWORD_COMMAND',
    'MILENA_SIGNS',
    'MILENA_LINKS',
    'MILENA_MOUSE',
    'MILENA_HIGHLIGHT',
    'MILENA_DESKTOP',
    'MILENA_CLIPBOARD',
    'MILENA_NOTIFY',
    'MILENA_OPEN',
    'MILENA_STAY_LOGGED_IN',
  ],
  ...['MILENA_BELL', 'MILENA_PLAIN', 'MILENA_HISTORY', 'MILENA_DATA_DIR', 'MILENA_SETTINGS'],
];

/** Every variable that a program or script of ours reads. */
export const SETTING_NAMES: readonly string[] = [...SETTINGS, ...OTHERS];

/** A sentence for each variable MILENA_… that nobody reads, with the nearest one that somebody does; those of tests are left out. */
export function unknownSettings(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set(SETTING_NAMES);
  return Object.keys(environment)
    .filter((name) => /^MILENA_(?!TEST_|FUZZ_)/.test(name) && environment[name]?.trim() && !known.has(name))
    .sort()
    .map((name) => {
      const near = suggest(name, SETTING_NAMES) ?? nearestPart(name);
      const meant = near === null ? 'docs/configuration.md has all of them.' : `Is ${near} meant?`;
      return `There is no setting ${name}, so it does nothing. ${meant}`;
    });
}

/** The one that shares most words with it, where it has another number of them. */
function nearestPart(name: string): string | null {
  const words = wordsOf(name);
  let best: string | null = null;
  let most = 0;
  for (const known of SETTING_NAMES) {
    const others = wordsOf(known);
    const shared = words.filter((word) => others.includes(word)).length;
    const likeness = shared / Math.max(words.length, others.length);
    if (likeness > most) [best, most] = [known, likeness];
  }
  return most >= 0.5 ? best : null;
}

function wordsOf(name: string): string[] {
  return name.split('_').slice(1);
}
