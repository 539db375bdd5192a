import type { Logger } from 'pino';
import type { Account } from '../../../core/accounts.ts';
import type { LossReason } from '../../../core/inboxes.ts';
import type { Feeds } from '../fetch/feeds.ts';
import type { Fetcher } from '../fetch/fetcher.ts';
import type { CommitPace } from '../groups/commit-schedule.ts';
import type { Doubt } from '../groups/doubt.ts';
import type { GroupMember } from '../groups/group-member.ts';
import type { RoomFollowers } from '../rooms/room-followers.ts';
import type { RoomWindows } from '../windows/room-windows.ts';
import type { Cluster } from '../wire/cluster.ts';
import type { RareWarning } from '../wire/trouble.ts';
import type { KafkaInbox } from './inbox.ts';
import type { MailboxStatsReader } from './mailbox-stats.ts';
import type { Trust } from './trust.ts';

/** What an open inbox needs around it. */
export interface InboxSurroundings {
  readonly cluster: Cluster;
  readonly fetcher: Pick<Fetcher, 'pace'>;
  readonly feeds: Pick<Feeds, 'follow'>;
  readonly roomFollowers: RoomFollowers;
  readonly roomWindows: Pick<RoomWindows, 'follow' | 'isIn'>;
  readonly commitPace: CommitPace;
  readonly stats: Pick<MailboxStatsReader, 'read' | 'end' | 'epochEnd'>;
  readonly trust: Trust;
  /** Acknowledged messages stay in the topic for this long, milliseconds. */
  readonly historyMs: number;
  readonly log: Logger;
  /** Records and batches that are none of anybody's messages. */
  readonly steppedOver: RareWarning;
  /** Positions in logs that Kafka does not take. */
  readonly refusedCommits: RareWarning;
  /** False while this frontend may have been taken for dead: nothing is pushed or committed then. */
  readonly isFrontendAlive: () => boolean;
  /** Waits until it is true. @throws EngineError `UNAVAILABLE` */
  readonly frontendAlive: (deadline: number) => Promise<void>;
  /** An account as it is now; as it was, where its life is over. */
  readonly current: (account: Account) => Account;
  /** Whether the account's name is another life's by now. */
  readonly isAnothers: (account: Account) => boolean;
  /** Why its topic is not there any more. Never rejects. */
  readonly whyGone: (owner: Account) => Promise<LossReason>;
  /** Whether what Kafka has said is in doubt. */
  readonly doubt: Pick<Doubt, 'covers'>;
  /** Asks Kafka by a heartbeat whether the inbox is still held, as soon as that says anything. */
  readonly confirmSoon: (inbox: KafkaInbox) => void;
  /** Why an inbox was lost whose member Kafka does not know any more. Never fails. */
  readonly whyUnknown: (inbox: KafkaInbox) => Promise<LossReason>;
  /** Called once, when the inbox is held no more. */
  readonly onReleased: (inbox: KafkaInbox) => void;
  /** Gives a lost lease back in the background, in case it is still ours. */
  readonly abandon: (member: GroupMember) => void;
  /** Puts out whoever else is in the group; never rejects. */
  readonly putOutStrangers: (member: GroupMember) => Promise<void>;
}
