/** Clients that are killed, stopped, slow, mute, or gone without a word. */
import type { Row } from '../row.ts';

export const CLIENTS: readonly Row[] = [
  {
    name: 'clients killed',
    world: 'one',
    fault: 'kill -9 of a process with half of the people, who begin anew with nothing in mind',
    seen: 'what they had not acknowledged comes again, and they are let in at once',
    async act(stage) {
      const troupe = stage.company.troupes[0];
      if (troupe === undefined) throw new Error('nobody is there');
      const killed = stage.people.filter((person) => troupe.clients.has(stage.clientOf(person)));
      stage.fault('killed');
      await stage.company.kill(troupe);
      stage.giveUp(killed);
      const fresh = await stage.company.hire();
      const roles = killed.map((person, i) => stage.role(person, 'plain', i));
      await stage.company.enter(roles, [fresh]);
      await stage.talkOn();
      await stage.pause(3_000);
    },
  },
  {
    name: 'clients stopped for a while',
    world: 'one',
    fault: 'SIGSTOP for 6 s of a process with half of the people',
    seen: 'they go on, and others never notice',
    async act(stage) {
      const pid = stage.company.troupes[0]?.pid ?? 0;
      stage.fault('stopped');
      process.kill(pid, 'SIGSTOP');
      await stage.pause(6_000);
      process.kill(pid, 'SIGCONT');
      stage.mended('stopped');
      await stage.pause(2_000);
    },
  },
  {
    name: 'slow and mute readers',
    world: 'one',
    fault: 'a third reads a message each 30 ms, a third reads nothing, and everybody writes to everybody',
    seen: 'what they do not read waits for them, and others have theirs',
    manner: (i) => (['prompt', 'slow', 'mute'] as const)[i % 3] ?? 'prompt',
    pauseMs: 30,
    async act(stage) {
      stage.fault('slow');
      await stage.pause(10_000);
    },
  },
  {
    name: 'connections gone without a word',
    world: 'wired',
    fault: 'the wires in front of a frontend dead in both ways for longer than it waits for a sign of life',
    seen: 'it lets go of their inboxes, and they come in elsewhere without their tokens',
    ends: ['REPLACED', 'ALREADY_LOGGED_IN'],
    async act(stage) {
      const lonely = `lonely-${stage.person(0)}`;
      const servers = stage.world.serversFrom(0).slice(0, 1);
      await stage.company.enter([stage.role(lonely, 'create', 0, { manner: 'prompt', servers })]);
      await stage.write(lonely, 3);
      stage.fault('half-open');
      await stage.world.door(0).set('hole');
      await stage.company.enter([stage.role(lonely, 'plain', 1, { manner: 'prompt' })]);
      await stage.write(lonely, 3);
      await stage.world.door(0).set('open');
      stage.mended('half-open');
      await stage.pause(2_000);
    },
  },
];
