import { setTimeout as sleep } from 'node:timers/promises';
import { isSameLife } from '../../core/accounts.ts';
import { EngineError } from '../../core/errors.ts';
import type { Inbox, InboxMessage, OffsetRange } from '../../core/inboxes.ts';
import type { FollowedRoom, Life, Membership } from '../../core/rooms.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Version } from '../adapters/version.ts';
import type { Services } from '../commands/context.ts';
import type { Outlet } from './delivery.ts';
import { Window } from './window.ts';

/** Pauses between two tries to follow a room, milliseconds: the first, twice as long each time, up to the last. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

export interface RoomDeliveriesOptions {
  readonly services: Pick<Services, 'rooms' | 'roomEntrance' | 'limits' | 'log'>;
  readonly inbox: Inbox;
  readonly connection: Outlet;
  readonly version: Version;
  /** Whether the client can rooms that show topics: those wait for one that can. */
  readonly windows: boolean;
  /** Carries something out in the order of all that happens to the session, unless that is over by then. */
  readonly inTurn: (act: () => void) => void;
}

/** One room on its way to one connection. */
interface Delivery {
  /** Of which lives it is: another one of the room, or another joining, is another delivery. */
  readonly membership: Membership;
  readonly window: Window;
  followed: FollowedRoom | null;
  isResting: boolean;
}

/**
 * What is said in somebody's rooms, on its way to their connection: in each room they are in as long as they are in it, and no more
 * at once than their client acknowledges.
 */
export class RoomDeliveries {
  readonly #options: RoomDeliveriesOptions;
  /** By the name of the room. */
  readonly #deliveries = new Map<string, Delivery>();
  /** Rooms that rest: looked at when there may be room again. */
  readonly #resting = new Set<Delivery>();
  #unwatch: (() => void) | null = null;
  #isOver = false;

  constructor(options: RoomDeliveriesOptions) {
    this.#options = options;
  }

  /** Begins with all rooms that they are in, and hears of each that they come into or leave. */
  begin(): void {
    const { inbox, services, inTurn } = this.#options;
    const { members } = services.rooms;
    this.#unwatch = members.watch(inbox.owner, (room) => inTurn(() => this.#look(room)));
    for (const { room } of members.ofPerson(inbox.owner, 'member')) this.#look(room.name);
  }

  /** The client has these, of this life of the room. @throws ProtocolError `NOT_A_MEMBER` */
  acknowledge(room: Life, ranges: readonly OffsetRange[]): void {
    const delivery = this.#deliveries.get(room.name);
    if (delivery === undefined || !isSameLife<Life>(room, delivery.membership.room))
      throw new ProtocolError('NOT_A_MEMBER');
    for (const { first, last } of delivery.window.acknowledge(ranges))
      delivery.followed?.acknowledge(first, last);
    this.#balance(delivery);
  }

  /** The connection may have room again. */
  balance(): void {
    if (this.#options.connection.isFull) return;
    for (const delivery of this.#resting) this.#balance(delivery);
  }

  /** Nothing more is pushed. What was acknowledged is committed when the inbox is given back. */
  end(): void {
    this.#isOver = true;
    this.#unwatch?.();
    for (const { followed } of this.#deliveries.values()) followed?.pause();
    this.#deliveries.clear();
    this.#resting.clear();
  }

  /** Follows a room, or does not any more, by what the members' table says now. */
  #look(name: string): void {
    if (this.#isOver) return;
    const { rooms } = this.#options.services;
    const { owner } = this.#options.inbox;
    const room = rooms.get(name);
    const isFor = room?.window === undefined || this.#options.windows;
    const membership = room && isFor ? rooms.members.get(room, owner) : undefined;
    const wanted = membership?.role === 'member' ? membership : undefined;
    const known = this.#deliveries.get(name)?.membership;
    if (known !== undefined && !isSame(known, wanted)) this.#drop(name);
    if (wanted === undefined || this.#deliveries.has(name)) return;
    const delivery: Delivery = {
      membership: wanted,
      window: new Window(this.#options.services.limits.window),
      followed: null,
      isResting: false,
    };
    this.#deliveries.set(name, delivery);
    void this.#follow(name, delivery);
  }

  async #follow(name: string, delivery: Delivery): Promise<void> {
    const { inbox, services, inTurn, version, connection } = this.#options;
    const { rooms, roomEntrance, log } = services;
    const isOver = () => this.#deliveries.get(name) !== delivery;
    const write = (encode: () => Buffer | null) =>
      inTurn(() => {
        const frame = isOver() ? null : encode();
        if (frame !== null) connection.write(frame);
      });
    for (let pause = FIRST_PAUSE_MS; !isOver(); pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        await roomEntrance.pass(inbox.owner.name, async () => {
          const room = rooms.get(name);
          if (isOver() || !isSameLife<Life>(room, delivery.membership.room)) return;
          const { at, since } = delivery.membership;
          delivery.followed = await inbox.follow(room, room.window ? at : since, {
            onMessage: (message) => inTurn(() => this.#push(name, delivery, message)),
            onGap: (messages) => write(() => version.encodeGap(name, messages)),
            onNotice: (notice) => write(() => version.encodeNotice(name, notice)),
          });
        });
        if (delivery.isResting) delivery.followed?.pause();
        // They have left while it was looked for.
        if (isOver()) delivery.followed?.leave();
        return;
      } catch (error) {
        if (error instanceof EngineError && error.code === 'LOST') return;
        log.debug({ err: error, room: name }, 'a room is not followed yet');
        await sleep(pause * (0.5 + Math.random()), undefined, { ref: false });
      }
    }
  }

  #push(name: string, delivery: Delivery, message: InboxMessage): void {
    // They have left meanwhile: what came after is not theirs.
    if (this.#deliveries.get(name) !== delivery) return;
    const { version, connection } = this.#options;
    const frame = version.encodeRoomMessage(message, delivery.membership.room);
    if (frame === null) return;
    delivery.window.pushed(message.offset);
    connection.write(frame);
    // All rest together: each would add one more. Whose message has filled it goes on last.
    if (connection.isFull)
      for (const other of this.#deliveries.values()) if (other !== delivery) this.#balance(other);
    this.#balance(delivery);
  }

  /** Lets a room rest while the client is behind: what it has not taken stays in the log. */
  #balance(delivery: Delivery): void {
    const isBehind = this.#options.connection.isFull || delivery.window.isFull;
    if (isBehind === delivery.isResting) return;
    delivery.isResting = isBehind;
    if (isBehind) {
      this.#resting.add(delivery);
      delivery.followed?.pause();
    } else {
      this.#resting.delete(delivery);
      delivery.followed?.resume();
    }
  }

  #drop(name: string): void {
    const delivery = this.#deliveries.get(name);
    if (delivery === undefined) return;
    this.#deliveries.delete(name);
    this.#resting.delete(delivery);
    delivery.followed?.leave();
  }
}

function isSame(one: Membership, other: Membership | undefined): boolean {
  return (
    other !== undefined &&
    isSameLife<Life>(one.room, other.room) &&
    one.since === other.since &&
    one.at === other.at
  );
}
