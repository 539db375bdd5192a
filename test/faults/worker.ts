/** A process of actors; whoever forked it asks it for what `Crew` does. */
import { pause } from '../../bench/load/clock.ts';
import { serve } from '../../bench/load/rpc.ts';
import { ClientError } from '../../src/client/index.ts';
import { Random } from '../protocol/random.ts';
import { Actor, type Role } from './actor.ts';
import { Recorder } from './history.ts';

export interface SetUp {
  /** Of the history. */
  readonly folder: string;
  readonly name: string;
  readonly seed: number;
}

export interface Talk {
  /** Whom to write to. */
  readonly to: readonly string[];
  /** Where everybody writes now and then as well. */
  readonly room?: string | undefined;
  /** Between messages of one person, some of which come in bursts; milliseconds, on average. */
  readonly pauseMs: number;
}

const AT_ONCE = 8;
/** Of so many messages one is for the room, if there is one: everybody gets it. */
const ROOM_SHARE = 8;

export class Crew {
  #recorder: Recorder | undefined;
  #random = new Random(0);
  readonly #actors = new Map<string, Actor>();
  #isTalking = false;
  readonly #talks = new Map<string, Promise<void>>();

  setUp({ folder, name, seed }: SetUp): void {
    this.#recorder = new Recorder(folder, name);
    this.#random = new Random(seed);
  }

  /** Logs all of them in. @returns why some could not be, by client */
  async enter(roles: readonly Role[]): Promise<readonly string[]> {
    const recorder = this.#recorder;
    if (recorder === undefined) throw new Error('setUp comes first');
    const failures: string[] = [];
    const rest = roles.values();
    const lane = async () => {
      for (const role of rest) {
        const actor = new Actor(role, recorder, new Random(this.#random.below(2 ** 31)));
        try {
          await actor.enter();
          this.#actors.set(actor.client, actor);
        } catch (error) {
          const code = error instanceof ClientError ? (error.refusal?.code ?? error.code) : '';
          failures.push(`${actor.client} (${role.how}): ${code} ${error}`);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    return failures;
  }

  /** All who are there and do not yet begin to write. */
  talk(talk: Talk): void {
    const { to } = talk;
    this.#isTalking = true;
    for (const actor of this.#actors.values()) {
      if (this.#talks.has(actor.client) || !to.includes(actor.role.person)) continue;
      const partner = to[(to.indexOf(actor.role.person) + 1) % to.length] ?? '';
      this.#talks.set(actor.client, this.#talk(actor, partner, talk));
    }
  }

  /** Ends that. @returns whether all was answered in time */
  async hush({ withinMs }: { readonly withinMs: number }): Promise<boolean> {
    this.#isTalking = false;
    const over = Promise.all(this.#talks.values()).then(() => true);
    return Promise.race([over, pause(withinMs).then(() => false)]);
  }

  /** @param options.clients those; everybody unless it is given */
  hurry({ clients }: { readonly clients?: readonly string[] }): void {
    for (const actor of this.#chosen(clients)) actor.hurry();
  }

  /** @param options.clients those; everybody unless it is given */
  async leave({
    how,
    clients,
  }: {
    readonly how: 'logout' | 'close';
    readonly clients?: readonly string[];
  }): Promise<void> {
    await Promise.all(this.#chosen(clients).map((actor) => actor.leave(how)));
    for (const actor of this.#chosen(clients)) this.#actors.delete(actor.client);
  }

  async remove({ client }: { readonly client: string }): Promise<void> {
    await this.#actors.get(client)?.remove();
    this.#actors.delete(client);
  }

  async send({
    client,
    to,
    count,
  }: {
    readonly client: string;
    readonly to: string;
    readonly count: number;
  }): Promise<void> {
    for (let i = 0; i < count; i++) await this.#actors.get(client)?.send(to);
  }

  /** How much waited for each at its login, of those for whom something did. */
  undelivered(): readonly string[] {
    const waiting = [...this.#actors.values()].filter((actor) => actor.undelivered > 0);
    return waiting.map((actor) => `${actor.client}: ${actor.undelivered}`);
  }

  #chosen(clients: readonly string[] | undefined): Actor[] {
    return [...this.#actors.values()].filter(({ client }) => clients?.includes(client) ?? true);
  }

  /** Mostly to the same one, sometimes to any, and some at once. */
  async #talk(actor: Actor, partner: string, { to, room, pauseMs }: Talk): Promise<void> {
    const random = new Random(this.#random.below(2 ** 31));
    while (this.#isTalking && !actor.isOver) {
      const isForAll = room !== undefined && random.below(ROOM_SHARE) === 0;
      const recipient = isForAll ? room : random.below(10) < 6 ? partner : random.pick(to);
      const count = random.below(12) === 0 ? 6 : 1;
      await Promise.all(Array.from({ length: count }, () => actor.send(recipient)));
      await pause(random.below(2 * pauseMs));
    }
  }
}

serve(new Crew());
