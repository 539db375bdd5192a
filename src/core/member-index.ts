import { uuidKey } from '../util/uuid.ts';
import { Watchers } from '../util/watchers.ts';
import type { Life, Membership } from './rooms.ts';

const NOBODY: ReadonlySet<string> = new Set();

/**
 * Who is in which room and the other way round, by lives, so that another life of a name finds nothing of the one before. Keeps names
 * alone: there may be millions.
 */
export class MemberIndex {
  /** Names of people by role and life of the room; names of rooms by role and life of the person. */
  readonly #people = new Map<string, Set<string>>();
  readonly #rooms = new Map<string, Set<string>>();

  /** By life of the person: who hears of each change of their memberships. */
  readonly #watchers = new Watchers<[room: string]>();

  /** Has every change of a person's memberships told, with the name of the room. @returns ends that */
  watch({ incarnation }: Life, changed: (room: string) => void): () => void {
    return this.#watchers.watch(uuidKey(incarnation), changed);
  }

  /**
   * A room has come or gone: memberships of it may have been there before it, which are some from now on, or none any more.
   * @param find one of that very life by the name of the person
   */
  roomChanged(room: Life, find: (name: string) => Membership | undefined): void {
    if (this.#watchers.isEmpty) return;
    for (const name of this.people(room, 'member')) {
      const person = find(name)?.person;
      if (person !== undefined) this.#watchers.tell(uuidKey(person.incarnation), room.name);
    }
  }

  /** A membership takes the place of another of the same names, or of none; null: it is gone. */
  replace(before: Membership | null, after: Membership | null): void {
    if (before !== null) {
      remove(this.#people, keyOf(before.role, before.room), before.person.name);
      remove(this.#rooms, keyOf(before.role, before.person), before.room.name);
    }
    if (after !== null) {
      add(this.#people, keyOf(after.role, after.room), after.person.name);
      add(this.#rooms, keyOf(after.role, after.person), after.room.name);
    }
    for (const membership of [before, after]) {
      if (membership === null || this.#watchers.isEmpty) continue;
      const { person, room } = membership;
      this.#watchers.tell(uuidKey(person.incarnation), room.name);
    }
  }

  /** Names of those who are in a room, or invited. */
  people(room: Life, role: Membership['role']): ReadonlySet<string> {
    return this.#people.get(keyOf(role, room)) ?? NOBODY;
  }

  /** Names of the rooms that somebody is in, or invited to. */
  rooms(person: Life, role: Membership['role']): ReadonlySet<string> {
    return this.#rooms.get(keyOf(role, person)) ?? NOBODY;
  }
}

function keyOf(role: Membership['role'], { incarnation }: Life): string {
  return (role === 'member' ? 'm' : 'i') + uuidKey(incarnation);
}

function add(index: Map<string, Set<string>>, key: string, name: string): void {
  const names = index.get(key);
  if (names === undefined) index.set(key, new Set([name]));
  else names.add(name);
}

function remove(index: Map<string, Set<string>>, key: string, name: string): void {
  const names = index.get(key);
  names?.delete(name);
  if (names?.size === 0) index.delete(key);
}
