/** Networks that are cut in each manner, between frontends and Kafka and between clients and frontends. */
import type { Row, Stage } from '../row.ts';
import type { Wire, WireMode } from '../wire.ts';
import { LEASE_MS } from '../world.ts';

interface Cut {
  readonly name: string;
  readonly mode: WireMode;
  readonly milliseconds: number;
  /** What was held does not arrive: the connections end first. */
  readonly isLost?: boolean;
}

const SHORT: readonly Cut[] = [
  { name: 'refused', mode: 'refused', milliseconds: 4_000 },
  { name: 'a black hole', mode: 'hole', milliseconds: 3_000 },
  { name: 'requests lost', mode: 'no-requests', milliseconds: 3_000, isLost: true },
  { name: 'answers lost', mode: 'no-answers', milliseconds: 3_000, isLost: true },
  { name: '150 ms late', mode: { delayMs: 150 }, milliseconds: 5_000 },
];
const LONG: Cut = {
  name: 'a black hole for longer than the lease',
  mode: 'hole',
  milliseconds: LEASE_MS + 3_000,
};

function rowOf(cut: Cut, between: string, wireOf: (stage: Stage) => Wire): Row {
  const how = cut.isLost ? ', then every connection reset with what was under way' : '';
  return {
    name: `${between}: ${cut.name}`,
    world: 'wired',
    fault: `for ${cut.milliseconds / 1_000} s${how}`,
    seen: 'recovery by itself, without a restart',
    async act(stage) {
      const wire = wireOf(stage);
      stage.fault(cut.name);
      await wire.set(cut.mode);
      await stage.pause(cut.milliseconds);
      if (cut.isLost) wire.reset();
      await wire.set('open');
      stage.mended(cut.name);
      await stage.pause(2_500);
    },
  };
}

export const NETWORKS: readonly Row[] = [
  ...[...SHORT, LONG].map((cut) => rowOf(cut, 'a frontend and Kafka', ({ world }) => world.cable(0))),
  ...SHORT.map((cut) => rowOf(cut, 'clients and a frontend', ({ world }) => world.door(0))),
];
