/** Frontends that are killed, stopped, asked to end, and raced for. */
import { type Row, type Seen, Stage } from '../row.ts';
import { LEASE_MS } from '../world.ts';

/** Whoever was cut off has come back by the token. */
function allBack({ history }: Seen): readonly string[] {
  const away = new Set<string>();
  for (const event of history) {
    if (event.kind === 'cut') away.add(event.client);
    if (event.kind === 'login') away.delete(event.client);
    if (event.kind === 'ended') away.delete(event.client);
  }
  return [...away].map((client) => `${client} never came back`);
}

async function killEach(stage: Stage): Promise<void> {
  for (const frontend of stage.world.frontends) {
    stage.fault('killed');
    await frontend.end('SIGKILL');
    await stage.pause(1_500);
    await frontend.start();
    await stage.pause(1_000);
  }
}

/** Lets some of the first frontend's people in at the second one, beside their clients that are there already. */
async function goElsewhere(
  stage: Stage,
  how: 'takeover' | 'plain',
  [from, to]: readonly [number, number],
): Promise<void> {
  const there = stage.people.filter((_, i) => i % 2 === 0).slice(from, to);
  await stage.company.enter(there.map((person) => stage.role(person, how, 1, { manner: 'prompt' })));
}

function frozen(name: string, milliseconds: number, meanwhile: (stage: Stage) => Promise<void>): Row {
  const seconds = `${milliseconds / 1_000} s with a lease of ${LEASE_MS / 1_000} s`;
  return {
    name,
    world: 'one',
    fault: `SIGSTOP for ${seconds}, some of its people elsewhere meanwhile`,
    seen: 'when it wakes up it pushes nothing new to those who are elsewhere; the others go on',
    graceMs: 0,
    mayComeAgain: true,
    // Who was let in without taking over keeps the inbox: whoever comes back to it is refused.
    ends: ['REPLACED', 'ALREADY_LOGGED_IN'],
    async act(stage) {
      const frontend = stage.world.frontend(0);
      const late = await stage.extra('late', 0, 'lazy');
      const client = stage.clientOf(late);
      const quiet = await stage.extra('quiet');
      // By somebody on the same frontend, which says at once what was acknowledged there.
      await stage.write(late, 5);
      await stage.until('they are shown', (history) => Stage.shownTo(history, late) === 5);
      stage.fault(name);
      frontend.signal('SIGSTOP');
      const began = Date.now();
      await stage.company.enter([stage.role(late, 'takeover', 1, { manner: 'mute' })]);
      await stage.company.hurry([client]);
      // Whoever sends nothing is still there when it wakes up, and what is new comes along with the hint that it is another one's.
      await stage.company.enter([stage.role(quiet, 'takeover', 1)]);
      await stage.write(quiet, 3, stage.person(1));
      await meanwhile(stage);
      await stage.pause(Math.max(0, milliseconds - (Date.now() - began)));
      frontend.signal('SIGCONT');
      stage.mended(name);
      await stage.pause(3_000);
      await stage.until('the superseded one is told', (history) =>
        history.some((event) => event.kind === 'ended' && event.client === client),
      );
    },
    see: allBack,
  };
}

export const FRONTENDS: readonly Row[] = [
  {
    name: 'a frontend killed',
    world: 'one',
    mayComeAgain: true,
    fault: 'kill -9 of one of two, then of the other, each started again',
    seen: 'everybody who was on it is back by the token',
    act: killEach,
    see: allBack,
  },
  {
    name: 'devices and a room: a frontend killed',
    world: 'one',
    fault: 'kill -9 of one of two, then of the other, each started again',
    seen: 'each device has what its person and the room got, whatever the other one has',
    mayComeAgain: true,
    people: 10,
    pauseMs: 150,
    devices: ['phone'],
    hasRoom: true,
    act: killEach,
    see: allBack,
  },
  {
    name: 'a frontend killed with 1,000 people on it',
    world: 'one',
    fault: 'kill -9 with all of them logged in and writing now and then',
    seen: 'all 1,000 are back at the other one by the token',
    mayComeAgain: true,
    people: 1_000,
    pauseMs: 8_000,
    server: () => 0,
    manner: () => 'prompt',
    async act(stage) {
      stage.fault('killed');
      await stage.world.frontend(0).end('SIGKILL');
      await stage.until('all are back', (history) => {
        const back = history.filter((event) => event.kind === 'login' && event.how === 'token');
        return back.length >= stage.people.length;
      });
    },
    see: allBack,
  },
  frozen('a frontend stopped for less than its lease', 3_000, (stage) =>
    goElsewhere(stage, 'takeover', [1, 7]),
  ),
  frozen('a frontend stopped for longer than its lease', 11_000, async (stage) => {
    await goElsewhere(stage, 'takeover', [1, 4]);
    await stage.pause(2_000);
    await goElsewhere(stage, 'plain', [4, 10]);
  }),
  {
    name: 'frontends restarted one after the other',
    world: 'one',
    fault: 'SIGTERM, and started again, each in turn, twice',
    seen: 'nobody is told that the account is gone',
    async act(stage) {
      for (const frontend of [...stage.world.frontends, ...stage.world.frontends]) {
        stage.fault('restarted');
        await frontend.end('SIGTERM');
        await frontend.start();
        await stage.pause(500);
      }
    },
    see: allBack,
  },
  {
    name: 'many who take over at once',
    world: 'one',
    fault:
      'six rounds, in each of which a third of the people comes in through both frontends at the same moment, taking over',
    seen: 'one of the two stays, and the other one is told',
    mayComeAgain: true,
    ends: ['REPLACED', 'ALREADY_LOGGED_IN'],
    async act(stage) {
      for (let round = 0; round < 6; round++) {
        stage.fault('taken over');
        const chosen = stage.people.filter((_, i) => i % 3 === round % 3);
        const roles = chosen.flatMap((person) => [
          stage.role(person, 'takeover', 0, { manner: 'prompt' }),
          stage.role(person, 'takeover', 1, { manner: 'prompt' }),
        ]);
        // Whoever is superseded while it comes in is refused.
        await stage.company.tryToEnter(roles);
        await stage.talkOn();
        await stage.pause(300);
      }
    },
  },
  {
    name: 'logins beside another one',
    world: 'one',
    fault: 'people who are logged in try to log in once more, without taking over, through both frontends',
    seen: 'each is refused',
    async act(stage) {
      for (const server of [0, 1]) {
        stage.fault('login');
        const chosen = stage.people.slice(0, 6);
        const more = { manner: 'prompt', patienceMs: 0 } as const;
        const roles = chosen.map((person) => stage.role(person, 'plain', server, more));
        const refused = (await stage.company.tryToEnter(roles)).filter((why) =>
          why.includes('ALREADY_LOGGED_IN'),
        );
        stage.demand(refused.length === roles.length, `${roles.length - refused.length} were let in`);
      }
    },
  },
  {
    name: 'accounts deleted and made again',
    world: 'one',
    fault: 'eight times, while people write to them, with another frontend for the new one',
    seen: 'what was for the old one is shown to nobody',
    async act(stage) {
      for (let round = 0; round < 8; round++) {
        const server = round % 2;
        const name = await stage.extra(`old${round}`, server);
        await stage.write(name, 3);
        stage.fault('deleted');
        const client = stage.clientOf(name);
        const writing = stage.write(name, 20);
        await stage.company.troupeOf(client).call('remove', { client });
        await stage.company.enter([stage.role(name, 'create', 1 - server, { manner: 'prompt' })]);
        await writing;
        await stage.write(name, 3);
      }
    },
  },
];
