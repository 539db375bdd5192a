import { type Account, inboxLifeOf } from '../../../core/accounts.ts';
import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import { type Fate, RECEIPT_TIME, type Receipt } from '../../../core/inboxes.ts';
import { uuidKey } from '../../../util/uuid.ts';
import { type LogBounds, readBatchFrom, readManyBounds } from '../fetch/log-reader.ts';
import { type GroupTopic, positionOf, readCommits } from '../groups/commits.ts';
import type { Position } from '../groups/position.ts';
import type { Cluster } from '../wire/cluster.ts';
import { readEpochEnds } from '../wire/epoch-ends.ts';
import { now } from '../wire/retry.ts';

const TIMEOUT_MS = 5_000;
/** Records looked at for one question: each is a fetch. What is left over waits for the next one. */
const MOST_READS = 64;

export interface FatesOptions {
  readonly cluster: Cluster;
  /** The groups of an account's devices, the main one first, with the inbox's topic. */
  readonly groupsOf: (account: Account) => readonly GroupTopic[];
}

/** Where the devices of a recipient are, the main one first. */
type Positions = readonly (Position | null)[];

/** A message that is asked about, and where its recipient is; `look`: the record at its offset has to tell. */
interface Case {
  readonly receipt: Receipt;
  readonly topic: string;
  readonly groups: readonly GroupTopic[];
  positions: Positions;
  fate: Fate | 'look';
}

/**
 * What became of messages, by what is committed in Kafka.
 * @param inLog whether to look into the logs, too, for what was lost there before anybody had it
 * @throws EngineError `UNAVAILABLE`
 */
export async function readFates(
  { cluster, groupsOf }: FatesOptions,
  receipts: readonly Receipt[],
  inLog: boolean,
): Promise<Fate[]> {
  const cases = receipts.map((receipt): Case => {
    const groups = groupsOf(receipt.to);
    return { receipt, topic: groups[0]?.topic ?? '', groups, positions: [], fate: 'waiting' };
  });
  await judgeAll(cluster, cases);
  if (inLog) await findLost(cluster, cases);
  await lookInLogs(cluster, cases);
  return cases.map(({ fate }) => (fate === 'look' ? 'waiting' : fate));
}

async function judgeAll(cluster: Cluster, cases: readonly Case[]): Promise<void> {
  const asked = [...new Map(cases.flatMap(({ groups }) => groups.map((one) => [one.group, one]))).values()];
  const found = await readCommits(cluster, asked, now() + TIMEOUT_MS);
  const commits = new Map(asked.map(({ group }, index) => [group, found[index] ?? null]));
  // By life, not by name: a name may have had several.
  const known = new Map<string, Positions>();
  for (const one of cases) {
    const { to } = one.receipt;
    const life = uuidKey(inboxLifeOf(to));
    const read = () => one.groups.map(({ group }) => positionOf(to, commits.get(group) ?? null));
    one.positions = known.get(life) ?? read();
    known.set(life, one.positions);
    one.fate = judge(one.receipt, one.positions);
  }
}

/** What counts for the whole is what one device knows: the first of these. */
const STRONGEST = ['delivered', 'look', 'undeliverable'] as const;

/** As far as the commits alone can tell. */
function judge(receipt: Receipt, positions: Positions): Fate | 'look' {
  const fates = positions.map((position) => judgeOne(receipt, position));
  return STRONGEST.find((fate) => fates.includes(fate)) ?? 'waiting';
}

function judgeOne({ offset, epoch, acceptedAt }: Receipt, position: Position | null): Fate | 'look' {
  if (position === null || !position.delivered.has(offset)) return 'waiting';
  if (position.gone.has(offset)) return 'undeliverable';
  // A receipt of an older frontend says where the message was and nothing else.
  if (acceptedAt === null) return 'delivered';
  return epoch !== UNKNOWN_EPOCH && position.epochs.at(offset) === epoch ? 'delivered' : 'look';
}

/** Of what waits, some may be in no log any more: deleted unread, or cut away. */
async function findLost(cluster: Cluster, cases: readonly Case[]): Promise<void> {
  const waiting = cases.filter(({ fate }) => fate === 'waiting');
  const bounds = await boundsOf(cluster, waiting);
  const inFront = waiting.filter(({ topic, receipt }) => receipt.offset < (bounds.get(topic)?.start ?? 0));
  if (inFront.length > 0) {
    // Read after the log's start: what is in front of that and not in the commit was deleted by somebody else.
    await judgeAll(cluster, inFront);
    for (const one of inFront) if (one.fate === 'waiting') one.fate = fateOfMissing(one);
  }
  const elder = waiting.filter(({ fate, topic, receipt: { epoch, acceptedAt } }) => {
    return fate === 'waiting' && acceptedAt !== null && epoch < (bounds.get(topic)?.epoch ?? UNKNOWN_EPOCH);
  });
  await findCut(cluster, elder);
}

async function boundsOf(cluster: Cluster, cases: readonly Case[]): Promise<Map<string, LogBounds>> {
  const topics = [...new Set(cases.map(({ topic }) => topic))];
  const found = topics.length > 0 ? await readManyBounds(cluster, topics, now() + TIMEOUT_MS) : [];
  const bounds = new Map<string, LogBounds>();
  for (const [index, topic] of topics.entries()) {
    const one = found[index];
    if (one !== undefined && !(one instanceof Error)) bounds.set(topic, one);
  }
  return bounds;
}

/** Whether the log still has what was appended under an earlier leader. */
async function findCut(cluster: Cluster, cases: readonly Case[]): Promise<void> {
  const ends = await readEpochEnds(
    cluster,
    cases.map(({ topic, receipt: { epoch } }) => ({ topic, epoch })),
  );
  for (const [index, one] of cases.entries()) {
    const end = ends[index];
    const { offset, epoch } = one.receipt;
    if (end === undefined || end instanceof Error) continue;
    if (end.epoch !== epoch || end.end <= offset) one.fate = 'look';
  }
}

/** Where the commit does not tell, the log has to. What it cannot say yet is waiting: its recipient may still get the message. */
async function lookInLogs(cluster: Cluster, cases: readonly Case[]): Promise<void> {
  const doubtful = cases.filter(({ fate }) => fate === 'look');
  const bounds = await boundsOf(cluster, doubtful);
  for (const one of doubtful) one.fate = judgeByBounds(one, bounds.get(one.topic));
  const inside = doubtful.filter(({ fate }) => fate === 'look').slice(0, MOST_READS);
  const looked = inside.map(async (one) => {
    one.fate = await fateInLog(cluster, one).catch(() => 'waiting' as const);
  });
  await Promise.all(looked);
}

function judgeByBounds(one: Case, bounds: LogBounds | undefined): Fate | 'look' {
  const { receipt, positions } = one;
  if (bounds === undefined) return 'waiting';
  if (receipt.offset >= bounds.end) return 'undeliverable';
  if (receipt.offset >= bounds.start) return 'look';
  const fate = fateOfMissing(one);
  // Trimmed: only what was delivered is.
  const isAcknowledged = positions.some((position) => position?.delivered.has(receipt.offset));
  return fate !== 'waiting' && isAcknowledged && receipt.epoch === UNKNOWN_EPOCH ? 'delivered' : fate;
}

/**
 * Of a message whose place is in the log no more. Where there is no commit of the main device, or one has forgotten what was delivered
 * there, nobody knows whether the message was: that is not said either way.
 */
function fateOfMissing({ receipt: { offset }, positions }: Case): Fate {
  const isForgotten = positions.some(
    (position) => position?.delivered.has(offset) && position.epochs.at(offset) === UNKNOWN_EPOCH,
  );
  return positions[0] == null || isForgotten ? 'waiting' : 'undeliverable';
}

/**
 * The record at the message's offset: is it the message? The leader may have changed unnoticed when that was sent, so its
 * epoch may not be the one that the receipt says; the append time is what the broker said itself.
 */
async function fateInLog(cluster: Cluster, one: Case): Promise<Fate> {
  const { receipt, topic, positions } = one;
  const { to, offset, acceptedAt } = receipt;
  const deadline = now() + TIMEOUT_MS;
  const batch = await readBatchFrom(cluster, { topic, topicId: to.topicId }, offset, deadline);
  if (batch === null) return 'waiting';
  if (batch.baseOffset > offset || !batch.isIntact) return fateOfMissing(one);
  if (!isSameTime(batch.maxTimestamp, acceptedAt)) return 'undeliverable';
  const hasIt = (position: Position | null) =>
    position?.delivered.has(offset) && isOf(position, offset, batch.leaderEpoch);
  return positions.some(hasIt) ? 'delivered' : 'waiting';
}

/**
 * Whether what was delivered at an offset is what the log has there, of that leader epoch. What lies in front of the epochs
 * that are known is: where a log parts from what was delivered, that is taken back. A commit without epochs is of an older
 * frontend, which did not look.
 */
function isOf({ epochs }: Position, offset: number, epoch: number): boolean {
  const known = epochs.at(offset);
  return known === UNKNOWN_EPOCH ? epoch <= epochs.first : epoch === known;
}

/** As much of it as receipts have. */
function isSameTime(one: number, other: number | null): boolean {
  return other !== null && one % RECEIPT_TIME === other % RECEIPT_TIME;
}
