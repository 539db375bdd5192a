import { type AccountRoom, type Client, ClientError, isRoom } from '../../client/index.ts';
import { peerTo } from '../history/types.ts';
import { sanitiseLine, sanitiseName } from '../sanitise.ts';
import { shorten } from '../tui/cells.ts';
import { isYes } from '../yes.ts';
import type { Display } from './display.ts';
import type { RoomCommand } from './parse-room-command.ts';
import { yesOrNo } from './questions.ts';
import { TopicRooms, topicWords } from './topic-rooms.ts';
import { countOf } from './words.ts';

/** Rooms of a list, and people of a room, that are shown; of more is said that there are. */
const MAX_ROOMS_SHOWN = 50;
const MAX_MEMBERS_SHOWN = 100;
/** Cells of a message that say which one is meant. */
const MAX_QUOTED = 40;
/** For Tab. */
const MAX_COMPLETED = 100;
const MAX_MEMBERS_COMPLETED = 1_000;

/** A part of what there is; `more` if there are others. */
interface SomeNames {
  readonly names: readonly string[];
  readonly more: boolean;
}

/** Carries out what has to do with rooms, and knows which ones the account is in. */
export class RoomCommands {
  readonly topics: TopicRooms;
  readonly #client: Client;
  readonly #display: Display;
  /** The rooms that the account was in when it was looked last. */
  #mine: ReadonlySet<string> = new Set();
  #isLooking = false;
  #isStale = false;
  /** The invitations that there are, each of which was told once, and of which account. */
  #invitedTo = new Set<string>();
  #invited: string | null = null;

  constructor(client: Client, display: Display) {
    this.#client = client;
    this.#display = display;
    this.topics = new TopicRooms(client, display);
  }

  /** Which rooms the account is in, and which invitations there are; to be called after each login. Never throws. */
  async look(): Promise<void> {
    this.#isStale = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        await this.#lookOnce();
      }
    } catch (error) {
      // It is looked at with the next login.
      if (!(error instanceof ClientError)) throw error;
    } finally {
      this.#isLooking = false;
    }
  }

  /** Something came from a room: another device may have gone into it, and nobody else says so. */
  heard(room: string): void {
    if (!this.#mine.has(room)) void this.look();
  }

  /** A message was refused: one may have been put out of the room, and nobody else says so. */
  refused(room: string): void {
    if (this.#mine.has(room)) void this.look();
  }

  async #lookOnce(): Promise<void> {
    const { account } = this.#display.state;
    if (account === null || !this.#hasRooms) return;
    const rooms = await taken(this.#client.rooms.list('', { mine: true }), Number.POSITIVE_INFINITY);
    // Another account may be logged in by now.
    if (this.#display.state.account !== account) return;
    const joined = rooms.items.filter(isIn);
    this.#mine = new Set(joined.map(({ name }) => name));
    this.topics.joinedAre(joined);
    this.#display.joinedAre([...this.#mine]);
    const before = this.#invited === account ? this.#invitedTo : new Set();
    this.#invited = account;
    this.#invitedTo = new Set(rooms.items.filter(({ role }) => role === 'invited').map(({ name }) => name));
    for (const name of this.#invitedTo) {
      if (before.has(name)) continue;
      this.#display.say('info', `You are invited to ${sanitiseName(name)}. /join ${name} takes it.`);
    }
  }

  /** Names of rooms that match, for Tab. @throws ClientError */
  async like(pattern: string): Promise<SomeNames> {
    if (!this.#hasRooms) return { names: [], more: false };
    const { items, more } = await taken(this.#client.rooms.list(pattern), MAX_COMPLETED);
    return { names: items.map(({ name }) => name), more };
  }

  /** Who is in a room, for Tab. @throws ClientError */
  async members(room: string): Promise<SomeNames> {
    if (!this.#hasRooms) return { names: [], more: false };
    const { items, more } = await taken(this.#client.rooms.members(room), MAX_MEMBERS_COMPLETED);
    return { names: items, more };
  }

  /** @throws ClientError, which is told to the person */
  async carryOut(command: RoomCommand): Promise<void> {
    if (this.#display.state.account === null) throw new ClientError('INVALID', 'Log in first: /login NAME.');
    if (!this.#hasRooms) throw new ClientError('INVALID', 'This server has no rooms.');
    const { rooms } = this.#client;
    switch (command.type) {
      case 'join': {
        const room = await rooms.join(command.room, { back: command.back });
        return this.#entered(room, welcomeTo(room));
      }
      case 'room-create': {
        const room = await rooms.create(command.room, command.settings);
        const next =
          room.policy === 'open' ? `Others come in by /join ${room.name}.` : '/invite NAME lets others in.';
        return this.#entered(room, `${nameIn(room)} is made, and yours. ${next}`);
      }
      case 'room-list':
        return this.#list(command.pattern);
      case 'room-preview':
        return this.topics.preview(command);
      case 'raw':
        return this.topics.raw(this.#openRoom(), command.place);
      case 'holders':
        return this.#holders(this.#openRoom());
      default: {
        const name = command.room ?? this.#openRoom();
        return this.#withRoom(name, command);
      }
    }
  }

  async #withRoom(name: string, command: Extract<RoomCommand, { room: string | null }>): Promise<void> {
    const { rooms } = this.#client;
    const say = (text: string) => this.#display.say('info', text);
    switch (command.type) {
      case 'leave':
        await rooms.leave(name);
        this.#left(name);
        return say(
          `You are not in ${name} any more. What was said there stays in the history; /join ${name} goes back.`,
        );
      case 'members': {
        const { items, more } = await taken(rooms.members(name), MAX_MEMBERS_SHOWN);
        const count = more ? `More than ${items.length} people` : countOf(items.length, 'person', 'people');
        return say(`${count} in ${name}: ${items.map(sanitiseName).join('; ')}${more ? '; …' : ''}`);
      }
      case 'invite':
        await rooms.invite(name, command.name);
        return say(`${command.name} may join ${name}, and hears of it with their next login.`);
      case 'kick':
        await rooms.kick(name, command.name);
        return say(`${command.name} is neither in ${name} nor invited now.`);
      case 'room-owner':
        await rooms.makeOwner(name, command.name);
        return say(`${name} is ${command.name}'s now.`);
      case 'room-set':
        return say(`${name}: ${about(await rooms.set(name, command.settings))}`);
      case 'room-about':
        return say(`${name}: ${about(await this.#found(name))}`);
      case 'room-delete':
        return this.#delete(await this.#found(name));
    }
  }

  async #holders(room: string): Promise<void> {
    const looked = this.#display.lookedAt();
    if (looked?.seq === undefined) {
      throw new ClientError('INVALID', 'Of which message? The last one in sight is not known to be stored.');
    }
    const { members, having, missing } = await this.#client.rooms.holders(room, looked.seq);
    const beginning = shorten(sanitiseLine(looked.body.slice(0, MAX_QUOTED * 4)), MAX_QUOTED);
    const more = having + missing.length < members ? ' and others' : '';
    const rest = missing.length === 0 ? '' : ` Not yet: ${missing.map(sanitiseName).join('; ')}${more}.`;
    this.#display.say('info', `${having} of ${members} have “${beginning}”.${rest}`);
  }

  async #list(pattern: string): Promise<void> {
    const { items, more } = await taken(this.#client.rooms.list(pattern), MAX_ROOMS_SHOWN);
    if (items.length === 0) return this.#display.say('info', 'No rooms match. /room create #NAME makes one.');
    const title = more
      ? `The first ${items.length} rooms; a pattern shows fewer`
      : countOf(items.length, 'room');
    this.#display.say('info', [`${title}:`, ...items.map(rowOf)].join('\n'));
  }

  #delete(room: AccountRoom): void {
    const others = room.members - (isIn(room) ? 1 : 0);
    const whose =
      others === 0 ? 'Nobody else is in it.' : `${countOf(others, 'other person is', 'others are')} in it.`;
    this.#display.say(
      'info',
      `Delete ${nameIn(room)} and all that was said there? ${whose} Type yes to delete it.`,
    );
    this.#display.ask(yesOrNo(`delete ${room.name}?`, 'deletes it', 'keeps it'), async (answer) => {
      if (!isYes(answer)) return this.#display.say('info', `${nameIn(room)} is kept.`);
      await this.#client.rooms.delete(room.name, { force: true });
      this.#left(room.name);
      this.#display.say('info', `${nameIn(room)} is deleted. What came of it stays in your history.`);
    });
  }

  async #found(name: string): Promise<AccountRoom> {
    const room = await this.#client.rooms.find(name);
    if (room === null)
      throw new ClientError('INVALID', `There is no room ${name}: /room list shows which there are.`);
    return room;
  }

  #entered({ name }: AccountRoom, words: string): void {
    this.#invitedTo.add(name);
    this.#display.turnTo(peerTo(name));
    this.#display.say('info', words);
    void this.look();
  }

  #left(name: string): void {
    const { to } = this.#display.state;
    if (to?.kind === 'room' && to.name === name) this.#display.turnTo(null);
    void this.look();
  }

  /** @throws ClientError */
  #openRoom(): string {
    const { to } = this.#display.state;
    if (to !== null && isRoom(to.name) && to.kind === 'room') return to.name;
    throw new ClientError(
      'INVALID',
      'No room is open here: name one, such as #ops. /close leaves a conversation.',
    );
  }

  get #hasRooms(): boolean {
    return this.#client.welcome?.features.includes('rooms') === true;
  }
}

function isIn({ role }: AccountRoom): boolean {
  return role === 'owner' || role === 'member';
}

function nameIn({ name }: AccountRoom): string {
  return sanitiseName(name);
}

function welcomeTo(room: AccountRoom): string {
  const words = [sanitiseLine(room.description), topicWords(room) ?? ''].filter(Boolean).join('; ');
  return `You are in ${nameIn(room)} (${countOf(room.members, 'person', 'people')})${words === '' ? '.' : `: ${words}`}`;
}

/** What a room is like, in sentences. */
function about(room: AccountRoom): string {
  const { description, owner, members, policy, retentionMs, history, role } = room;
  const words = sanitiseLine(description);
  const whose = owner === null ? '' : role === 'owner' ? 'yours, ' : `${sanitiseName(owner)}'s, `;
  const who = policy === 'open' ? 'open to anybody' : 'for who is invited';
  const before = history === 0 ? 'nothing from before' : `up to ${history} messages from before`;
  const kept = `messages are kept for ${duration(retentionMs)}, who joins gets ${before}`;
  const what = topicWords(room) ?? kept;
  return `${words === '' ? '' : `${words} `}(${whose}${countOf(members, 'person', 'people')}, ${who}; ${what})`;
}

function rowOf(room: AccountRoom): string {
  const { name, members, role, policy, description } = room;
  const mine = isIn(room) ? '● ' : role === 'invited' ? '+ ' : '';
  const words = sanitiseLine(description);
  const closed = policy === 'invited' ? ', by invitation' : '';
  return `${mine}${sanitiseName(name)} (${countOf(members, 'person', 'people')}${closed})${words === '' ? '' : ` ${words}`}`;
}

function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 120) return countOf(minutes, 'minute');
  const hours = Math.round(minutes / 60);
  return hours < 48 ? countOf(hours, 'hour') : countOf(Math.round(hours / 24), 'day');
}

/** The first of them; `more` if there are others. */
async function taken<Item>(
  all: AsyncIterable<Item>,
  most: number,
): Promise<{ readonly items: Item[]; readonly more: boolean }> {
  const items: Item[] = [];
  for await (const item of all) {
    if (items.length === most) return { items, more: true };
    items.push(item);
  }
  return { items, more: false };
}
