import type { InboxMessage } from '../../../core/inboxes.ts';

/** As much of a cursor as a hand-over needs. */
interface Follower {
  handOver(message: InboxMessage, epoch: number): void;
}

/** Who in this process follows which room: what is stored through it need not be fetched by them. */
export class RoomFollowers {
  /** By the id of the room's topic. */
  readonly #followers = new Map<string, Set<Follower>>();

  add(topicId: string, follower: Follower): void {
    const followers = this.#followers.get(topicId);
    if (followers === undefined) this.#followers.set(topicId, new Set([follower]));
    else followers.add(follower);
  }

  remove(topicId: string, follower: Follower): void {
    const followers = this.#followers.get(topicId);
    followers?.delete(follower);
    if (followers?.size === 0) this.#followers.delete(topicId);
  }

  /** The very same message to all of them, so that it is encoded once. */
  handOver(topicId: string, message: () => InboxMessage, epoch: number): void {
    const followers = this.#followers.get(topicId);
    if (followers === undefined) return;
    const stored = message();
    for (const follower of [...followers]) follower.handOver(stored, epoch);
  }
}
