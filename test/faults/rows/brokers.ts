/** Brokers that are killed, stopped and restarted: one, the leader of three, all of them, and everything there is. */
import type { JvmBroker } from '../../broker/jvm-broker.ts';
import type { Row, Stage } from '../row.ts';

/** The broker that leads most inboxes of those who talk, and the others. */
async function leaderOfMost(stage: Stage): Promise<{ leader: JvmBroker; followers: JvmBroker[] }> {
  const topics = stage.people.map((person) => stage.topicOf(person));
  const metadata = await stage.asOperator((admin) => admin.fetchTopicMetadata({ topics }));
  const leaders = metadata.topics.map(({ partitions }) => partitions[0]?.leader ?? 0);
  const led = stage.world.nodes.map((_, i) => leaders.filter((leader) => leader === i + 1).length);
  const leader = stage.world.node(led.indexOf(Math.max(...led)));
  return { leader, followers: stage.world.nodes.filter((node) => node !== leader) };
}

export const BROKERS: readonly Row[] = [
  {
    name: 'the broker killed',
    world: 'one',
    fault: 'kill -9, and started again',
    seen: 'sends wait, and go on by themselves',
    async act(stage) {
      stage.fault('killed');
      await stage.world.node(0).kill();
      await stage.pause(1_000);
      await stage.world.node(0).start();
      stage.mended('killed');
      await stage.pause(4_000);
    },
  },
  {
    name: 'the broker restarted',
    world: 'one',
    fault: 'SIGTERM, and started again',
    seen: 'sends wait, and go on by themselves',
    async act(stage) {
      stage.fault('restarted');
      await stage.world.node(0).halt();
      await stage.world.node(0).start();
      stage.mended('restarted');
      await stage.pause(4_000);
    },
  },
  {
    name: 'the broker stopped for a while',
    world: 'one',
    fault: 'SIGSTOP for 5 s',
    seen: 'sends wait, and go on by themselves',
    async act(stage) {
      stage.fault('stopped');
      await stage.world.node(0).freeze();
      await stage.pause(5_000);
      await stage.world.node(0).thaw();
      stage.mended('stopped');
      await stage.pause(3_000);
    },
  },
  {
    name: 'everything killed at once',
    world: 'one',
    fault: 'kill -9 of the broker and both frontends in the same moment, and all started again',
    seen: 'as if each alone',
    mayComeAgain: true,
    ends: ['CLOSED'],
    async act(stage) {
      stage.fault('killed');
      const { nodes, frontends } = stage.world;
      await Promise.all([
        ...nodes.map((node) => node.kill()),
        ...frontends.map((frontend) => frontend.end('SIGKILL')),
      ]);
      await stage.world.heal();
      stage.mended('killed');
      await stage.pause(4_000);
    },
  },
  {
    name: 'the leader of many inboxes killed',
    world: 'three',
    fault: 'kill -9 of one of three brokers, and started again',
    seen: 'another one leads its inboxes',
    by: 'to',
    people: 60,
    pauseMs: 150,
    async act(stage) {
      const { leader } = await leaderOfMost(stage);
      stage.fault('killed');
      await leader.kill();
      await stage.pause(10_000);
      await leader.start();
      await stage.pause(2_000);
    },
  },
  {
    name: 'a leader killed while its followers stand still',
    world: 'three',
    fault:
      'SIGSTOP of two of three brokers, kill -9 of the third one, which leads most inboxes, and the two go on',
    seen: 'what only the third one had was never confirmed',
    async act(stage) {
      const { leader, followers } = await leaderOfMost(stage);
      stage.fault('killed');
      for (const follower of followers) await follower.freeze();
      await stage.pause(1_500);
      await leader.kill();
      for (const follower of followers) await follower.thaw();
      await stage.pause(8_000);
      await leader.start();
      await stage.pause(2_000);
    },
  },
  {
    name: 'three brokers restarted one after the other',
    world: 'three',
    fault: 'SIGTERM, and started again, each in turn',
    seen: 'nobody is told anything, and no session ends',
    by: 'to',
    async act(stage) {
      for (const node of stage.world.nodes) {
        stage.fault('restarted');
        await node.halt();
        await node.start();
        await stage.pause(1_500);
      }
    },
    see: ({ history }) =>
      history.some(({ kind }) => kind === 'ended') ? ['somebody was told that it is over'] : [],
  },
  {
    name: 'all three brokers killed',
    world: 'three',
    fault: 'kill -9 of all in the same moment, and all started again',
    seen: 'sends wait, and go on by themselves',
    async act(stage) {
      stage.fault('killed');
      await Promise.all(stage.world.nodes.map((node) => node.kill()));
      await Promise.all(stage.world.nodes.map((node) => node.start()));
      stage.mended('killed');
      await stage.pause(5_000);
    },
  },
];
