import type { Account } from '../../../core/accounts.ts';
import { type DeviceState, deviceKey, devicesOf } from '../../../core/devices.ts';
import { type GroupTopic, readCommits } from '../groups/commits.ts';
import { describeMembers, holderOf } from '../groups/consumer-members.ts';
import { DeliveredOffsets } from '../groups/delivered-offsets.ts';
import type { Cluster } from '../wire/cluster.ts';
import { unavailable } from '../wire/kafka-error.ts';
import { now } from '../wire/retry.ts';
import type { MailboxStatsReader } from './mailbox-stats.ts';
import type { Trust } from './trust.ts';

const CHECK_TIMEOUT_MS = 5_000;

export interface DeviceGroupsOptions {
  readonly cluster: Cluster;
  readonly trust: Trust;
  readonly inboxPrefix: string;
}

/** What the topics and consumer groups of inboxes are called, and who is in them. */
export class DeviceGroups {
  readonly #options: DeviceGroupsOptions;

  constructor(options: DeviceGroupsOptions) {
    this.#options = options;
  }

  topic({ name }: Pick<Account, 'name'>): string {
    return this.#options.inboxPrefix + name;
  }

  /** That of the main device has the topic's name. */
  group(account: Pick<Account, 'name'>, device: string | undefined): string {
    return this.#options.inboxPrefix + deviceKey(account, device);
  }

  /** Those of all its devices, the main one first. */
  all(account: Account): GroupTopic[] {
    const topic = this.topic(account);
    return devicesOf(account).map((device) => ({ group: this.group(account, device), topic }));
  }

  /** The device that a group is of, as `deviceKey` has it; undefined where it is none of these. */
  keyOf(group: string): string | undefined {
    const { inboxPrefix } = this.#options;
    return group.startsWith(inboxPrefix) ? group.slice(inboxPrefix.length) : undefined;
  }

  /** How far each device is, and whether somebody is logged in with it. @throws EngineError; KafkaError where there is no topic */
  async states(account: Account, stats: Pick<MailboxStatsReader, 'read'>): Promise<DeviceState[]> {
    const groups = this.all(account).map(({ group }) => group);
    const [{ positions, start, end }, held] = await Promise.all([stats.read(account), this.held(groups)]);
    return devicesOf(account).map((name, index) => {
      const delivered = positions.get(groups[index] ?? '')?.delivered ?? new DeliveredOffsets(start);
      const waiting = end - Math.max(start, delivered.low) - delivered.acknowledgedAbove;
      return { name, isHeld: held[index] ?? false, waiting: Math.max(0, waiting) };
    });
  }

  /** Whether somebody is in a device's group, or anything is committed there. @throws EngineError `UNAVAILABLE` */
  async isUsed(account: Account, group: string, deadline: number): Promise<boolean> {
    const { cluster, trust } = this.#options;
    const topic = this.topic(account);
    const [[commit = null], [members = []]] = await Promise.all([
      readCommits(cluster, [{ group, topic }], deadline),
      describeMembers(cluster, trust, [group], deadline),
    ]).catch(unavailable);
    return commit !== null || members.length > 0;
  }

  /** Which of these groups somebody is in as holder. @throws EngineError `UNAVAILABLE` */
  async held(groups: readonly string[]): Promise<boolean[]> {
    const { cluster, trust } = this.#options;
    const members = await describeMembers(cluster, trust, groups, now() + CHECK_TIMEOUT_MS).catch(
      unavailable,
    );
    return groups.map((_, index) => holderOf(members[index] ?? []) !== null);
  }
}
