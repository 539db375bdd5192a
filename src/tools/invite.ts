/** What scripts/invite.sh runs: leave to make accounts, signed with the keys that frontends share. */
import { parseArgs } from 'node:util';
import { clusterKeysOf } from '../config/cluster-keys.ts';
import { ConfigError } from '../config/setting-table.ts';
import { MAX_USES, writeInvite } from '../core/invite.ts';
import { runTool, TOOL_EXIT, ToolError } from './exit.ts';
import { toolConfig } from './kafka.ts';

const USAGE = 'usage: scripts/invite.sh [--uses N] [--hours N]';
const HOUR_MS = 3_600_000;
/** Ten years: as long as a key may be used. */
const MAX_HOURS = 87_600;

async function main(): Promise<number> {
  const { uses, hours } = readArguments();
  const [key] = keys();
  if (key === undefined) throw new ToolError(TOOL_EXIT.USAGE, 'There is no key to sign with.');
  const endsAt = Date.now() + hours * HOUR_MS;
  console.log(writeInvite(key, { endsAt, uses }));
  const accounts = uses === 1 ? 'one account' : `${uses} accounts`;
  console.error(`Good for ${accounts} until ${new Date(endsAt).toISOString().slice(0, 16)}Z:`);
  console.error('  ./milena create NAME --invite INVITE');
  return 0;
}

function keys() {
  try {
    return clusterKeysOf(toolConfig());
  } catch (error) {
    if (error instanceof ConfigError) throw new ToolError(TOOL_EXIT.CONFIG, error.message);
    throw error;
  }
}

function readArguments(): { uses: number; hours: number } {
  try {
    const { values } = parseArgs({ options: { uses: { type: 'string' }, hours: { type: 'string' } } });
    return {
      uses: wholeNumber('--uses', values.uses ?? '1', MAX_USES),
      hours: wholeNumber('--hours', values.hours ?? '72', MAX_HOURS),
    };
  } catch (error) {
    throw new ToolError(
      TOOL_EXIT.USAGE,
      `${error instanceof Error ? error.message : String(error)}\n${USAGE}`,
    );
  }
}

function wholeNumber(option: string, text: string, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most) throw new Error(`${option} ${text}: give a whole number from 1 to ${most}.`);
  return value;
}

void runTool(main);
