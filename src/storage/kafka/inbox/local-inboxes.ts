import { type Account, isSameLife } from '../../../core/accounts.ts';
import { deviceKey, devicesOf } from '../../../core/devices.ts';
import type { Accepted, OutgoingMessage } from '../../../core/inboxes.ts';
import type { KafkaInbox } from './inbox.ts';
import { messageAsStored } from './record.ts';

/** Inboxes that this process holds or is about to hold, one for each device. Bounded by the frontend's connections. */
export class LocalInboxes {
  /** By `deviceKey`. */
  readonly byDevice = new Map<string, KafkaInbox | 'opening'>();

  /** Whether some device of an account has it here, or is about to. */
  has(account: Account): boolean {
    return devicesOf(account).some((device) => this.byDevice.has(deviceKey(account, device)));
  }

  /** Where those that hold it here are: nothing is stored below that any more. 0: nobody does. */
  next(to: Account): number {
    if (to.devices === undefined) return this.#of(to, to.name)?.cursor.progress.next ?? 0;
    return Math.max(0, ...this.#all(to).map(({ cursor }) => cursor.progress.next));
  }

  /**
   * To the recipient, where this process holds the very inbox that the message went into: no need to wait for a fetch.
   * @param known what `next` said before it was sent
   */
  handOver(to: Account, message: OutgoingMessage, accepted: Accepted, known: number): void {
    if (to.devices === undefined) {
      const inbox = this.#of(to, to.name);
      if (inbox !== null) give(inbox, message, accepted, known);
      return;
    }
    for (const inbox of this.#all(to)) give(inbox, message, accepted, known);
  }

  /** The sender has written to somebody: noted in an inbox of their own, if one is held here. */
  wroteTo(sender: Account, to: Account): void {
    const inbox = this.#of(sender, sender.name) ?? (sender.devices && this.#all(sender)[0]);
    inbox?.wroteTo(to);
  }

  each(action: (inbox: KafkaInbox) => void): void {
    for (const inbox of [...this.byDevice.values()]) if (inbox !== 'opening') action(inbox);
  }

  #all(account: Account): KafkaInbox[] {
    return devicesOf(account).flatMap((device) => this.#of(account, deviceKey(account, device)) ?? []);
  }

  /** The very inbox of this life of a name. */
  #of(account: Account, key: string): KafkaInbox | null {
    const inbox = this.byDevice.get(key);
    if (!inbox || inbox === 'opening') return null;
    // Nearly always it is the same object, as the accounts have it.
    if (inbox.owner === account) return inbox;
    return inbox.owner.topicId === account.topicId && isSameLife(inbox.owner, account) ? inbox : null;
  }
}

function give(inbox: KafkaInbox, message: OutgoingMessage, accepted: Accepted, known: number): void {
  const { cursor } = inbox;
  if (accepted.offset >= known) cursor.handOver(messageAsStored(message, accepted), accepted.epoch);
  // What was there before it was sent has its offset: the log has lost that.
  else if (accepted.offset < cursor.progress.next) inbox.cutAt(accepted);
}
