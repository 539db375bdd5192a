import type { TopicWindow, WindowPreview } from '../../../core/windows.ts';
import type { Cluster } from '../wire/cluster.ts';
import { type HowToLook, type PlacedRecord, readNewest } from './newest-records.ts';
import { type RecordLine, RecordLines } from './record-lines.ts';

/** What a preview says, and of the topic itself. */
export interface TopicPreview extends WindowPreview {
  readonly lines: readonly RecordLine[];
  /** Records that wait for the end of their transactions. */
  readonly open: number;
  /** Whether fewer were looked at than there are: more do not fit into memory. */
  readonly isCut: boolean;
}

/**
 * What a filter and a template make of the newest records of all partitions of a topic together.
 * @param last how many are looked at
 * @throws BadExpression before Kafka is asked; EngineError `UNAVAILABLE`; KafkaError
 */
export async function previewOf(
  cluster: Cluster,
  { topic, where, as }: TopicWindow,
  last: number,
  how: HowToLook,
): Promise<TopicPreview> {
  const lines = await RecordLines.open({ where, as });
  const newest = await readNewest(cluster, topic, last, how);
  const found: RecordLine[] = [];
  let looked = 0;
  let leftOut = 0;
  for (const run of runsOf(newest.records)) {
    const { partition = 0 } = run[0] ?? {};
    const some = await lines.look(
      partition,
      run.map(({ record }) => record),
    );
    found.push(...some.lines);
    looked += some.count;
    leftOut += some.leftOut;
  }
  const { open, isCut } = newest;
  return { lines: found, looked, leftOut, open, isCut, paused: lines.paused };
}

/** Neighbours of one partition together. */
function runsOf(records: readonly PlacedRecord[]): PlacedRecord[][] {
  const runs: PlacedRecord[][] = [];
  for (const placed of records) {
    const run = runs.at(-1);
    if (run?.[0]?.partition === placed.partition) run.push(placed);
    else runs.push([placed]);
  }
  return runs;
}
