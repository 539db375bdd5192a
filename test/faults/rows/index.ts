import type { Row } from '../row.ts';
import { BROKERS } from './brokers.ts';
import { CLIENTS } from './clients.ts';
import { FRONTENDS } from './frontends.ts';
import { MACHINES } from './machines.ts';
import { NETWORKS } from './networks.ts';
import { OPERATORS } from './operators.ts';
import { RECORDS } from './records.ts';

/** Every fault that there is, those that need the same brokers one behind the other. */
export const ROWS: readonly Row[] = [
  ...FRONTENDS,
  ...CLIENTS,
  ...BROKERS,
  ...OPERATORS,
  ...RECORDS,
  ...NETWORKS,
  ...MACHINES,
].sort((a, b) => a.world.localeCompare(b.world));
