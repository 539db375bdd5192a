/**
 * What `./milena keys` runs: makes the file with the key that frontends share, and says how the others get it.
 *   node make-keys.js FILE
 * The secret itself is never printed: terminals and logs keep what they show.
 */

import { loadClusterKeys, makeKeyFile } from '../config/cluster-keys.ts';
import { ConfigError } from '../config/setting-table.ts';
import { printable } from '../util/printable.ts';
import { runTool, TOOL_EXIT, ToolError } from './exit.ts';

async function main(): Promise<number> {
  const [file, ...more] = process.argv.slice(2);
  if (file === undefined || more.length > 0) throw new ToolError(TOOL_EXIT.USAGE, 'usage: make-keys FILE');
  try {
    const made = makeKeyFile(file);
    const [key] = loadClusterKeys(file, false);
    const name = printable(file);
    console.log(
      made
        ? `Made the key ${key?.id} in ${name}, readable for you alone.`
        : `There is a key already: ${key?.id} in ${name}. It stays.`,
    );
    console.log(
      [
        'The frontends of this checkout read it. Every other frontend of the same Kafka needs a copy, readable for its user alone:',
        `  scp -p ${name} OTHER:CHECKOUT/.milena/cluster.key`,
        'Another place is named in MILENA_CLUSTER_KEY_FILE there; or its line is put into MILENA_CLUSTER_KEYS instead.',
        'Whoever has it can sign as any user: keep it as secret as a password.',
      ].join('\n'),
    );
    return 0;
  } catch (error) {
    if (error instanceof ConfigError) throw new ToolError(TOOL_EXIT.CONFIG, error.message);
    throw error;
  }
}

await runTool(main);
