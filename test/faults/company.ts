import { pause } from '../../bench/load/clock.ts';
import { Remote } from '../../bench/load/rpc.ts';
import { clientOf, type Role } from './actor.ts';
import type { Crew, SetUp, Talk } from './worker.ts';

type Asked<Method> = Method extends (options: infer Options) => infer Result
  ? [Options, Awaited<Result>]
  : never;
type TaskName = Exclude<keyof Crew, symbol>;

/** A process of actors. */
export class Troupe {
  readonly #remote = new Remote(import.meta.resolve('./worker.ts'));
  readonly clients = new Set<string>();

  get pid(): number {
    return this.#remote.pid;
  }

  call<Name extends TaskName>(task: Name, options: Asked<Crew[Name]>[0]): Promise<Asked<Crew[Name]>[1]> {
    return this.#remote.call(task, options) as Promise<Asked<Crew[Name]>[1]>;
  }

  end(): void {
    this.#remote.end();
  }
}

/** All the clients of a run, in several processes. */
export class Company {
  readonly troupes: Troupe[] = [];
  readonly #setUp: Omit<SetUp, 'name'>;
  #made = 0;

  constructor(setUp: Omit<SetUp, 'name'>) {
    this.#setUp = setUp;
  }

  /** One more process. */
  async hire(): Promise<Troupe> {
    const troupe = new Troupe();
    this.troupes.push(troupe);
    const number = ++this.#made;
    const { folder, seed } = this.#setUp;
    await troupe.call('setUp', { folder, name: `people-${number}`, seed: seed + number });
    return troupe;
  }

  /** Logs all of them in, dealt out to the processes in turn. @throws Error for those that could not be */
  async enter(roles: readonly Role[], troupes: readonly Troupe[] = this.troupes): Promise<void> {
    const failures = await this.tryToEnter(roles, troupes);
    if (failures.length > 0)
      throw new Error(`${failures.length} could not log in: ${failures.slice(0, 3).join('; ')}`);
  }

  /** The same. @returns why some could not be logged in */
  async tryToEnter(
    roles: readonly Role[],
    troupes: readonly Troupe[] = this.troupes,
  ): Promise<readonly string[]> {
    const failures = await Promise.all(
      troupes.map((troupe, i) => {
        const own = roles.filter((_, at) => at % troupes.length === i);
        for (const role of own) troupe.clients.add(clientOf(role));
        return troupe.call('enter', own);
      }),
    );
    return failures.flat();
  }

  async talk(talk: Talk): Promise<void> {
    await Promise.all(this.troupes.map((troupe) => troupe.call('talk', talk)));
  }

  /** @returns whether all that was sent had an answer in time */
  async hush(withinMs: number): Promise<boolean> {
    const done = await Promise.all(this.troupes.map((troupe) => troupe.call('hush', { withinMs })));
    return done.every((isDone) => isDone);
  }

  async hurry(clients?: readonly string[]): Promise<void> {
    const whose = clients === undefined ? {} : { clients };
    await Promise.all(this.troupes.map((troupe) => troupe.call('hurry', whose)));
  }

  async leave(how: 'logout' | 'close', clients?: readonly string[]): Promise<void> {
    const whose = clients === undefined ? {} : { clients };
    await Promise.all(this.troupes.map((troupe) => troupe.call('leave', { how, ...whose })));
  }

  async undelivered(): Promise<readonly string[]> {
    return (await Promise.all(this.troupes.map((troupe) => troupe.call('undelivered', undefined)))).flat();
  }

  /** The process in which that client is. */
  troupeOf(client: string): Troupe {
    const found = this.troupes.find(({ clients }) => clients.has(client));
    if (found === undefined) throw new Error(`nobody plays ${client}`);
    return found;
  }

  /** kill -9 of a process with all its clients. */
  async kill(troupe: Troupe): Promise<void> {
    this.troupes.splice(this.troupes.indexOf(troupe), 1);
    process.kill(troupe.pid, 'SIGKILL');
    await pause(100);
  }

  end(): void {
    for (const troupe of this.troupes) troupe.end();
  }
}
