/** What operators and bad disks do to inboxes in Kafka itself: positions, records, logs and topics that are gone. */

import { deleteRecordsV2 } from '@platformatic/kafka';
import { Cluster } from '../../../src/storage/kafka/wire/cluster.ts';
import { kafkaTool } from '../../broker/kafka-tool.ts';
import { cutLog } from '../../broker/log-files.ts';
import { type Row, Stage } from '../row.ts';

/** Somebody who is away, has received so many messages, and for whom so many more wait. */
async function away(stage: Stage, name: string, received: number, waiting: number): Promise<string> {
  const person = await stage.extra(name);
  await stage.write(person, received);
  await stage.until('all is shown', (history) => Stage.shownTo(history, person) >= received);
  await stage.pause(500);
  await stage.leave(person);
  await stage.write(person, waiting);
  return person;
}

/** Everybody of them comes back, and is written to once more. */
async function comeBack(stage: Stage, people: readonly string[]): Promise<void> {
  for (const [i, person] of people.entries()) {
    await stage.company.enter([stage.role(person, 'plain', i, { manner: 'prompt' })]);
    await stage.write(person, 5);
  }
  await stage.pause(1_000);
}

/** Deletes what is in front of an offset, as kafka-delete-records does. */
async function deleteBelow(stage: Stage, person: string, offset: number): Promise<void> {
  const topic = stage.topicOf(person);
  const cluster = new Cluster({ bootstrap: stage.world.brokers.split(','), clientId: 'operator' });
  try {
    const { node } = await cluster.leader(topic);
    const topics = [{ name: topic, partitions: [{ partitionIndex: 0, offset: BigInt(offset) }] }];
    await cluster.request(node, 'control', deleteRecordsV2.api, topics, 5_000);
  } finally {
    await cluster.close();
  }
}

function fatesTo(person: string, fate: string): NonNullable<Row['see']> {
  return ({ history, stage }) => {
    const name = `${person}-${stage.people[0]}`;
    const told = history.some((event) => event.kind === 'fate' && event.to === name && event.fate === fate);
    return told ? [] : [`no sender heard that what ${name} never got is ${fate}`];
  };
}

export const OPERATORS: readonly Row[] = [
  {
    name: 'positions deleted and reset',
    world: 'one',
    fault: 'the group of one who is away deleted, that of another one reset to the end of the log',
    seen: 'delivered again from the start of the log, and nothing skipped',
    async act(stage) {
      const people = [await away(stage, 'deleted', 10, 10), await away(stage, 'reset', 10, 10)];
      const [deleted = '', reset = ''] = people;
      stage.fault('forgotten');
      for (const person of people) stage.forgotten(person, 'position');
      await stage.asOperator((admin) => admin.deleteGroups([stage.topicOf(deleted)]));
      const group = ['--group', stage.topicOf(reset), '--all-topics'];
      await kafkaTool(stage.world.brokers, 'consumer-groups', [
        ...['--reset-offsets', '--to-latest', '--execute'],
        ...group,
      ]);
      await comeBack(stage, people);
    },
  },
  {
    name: 'records deleted unread',
    world: 'one',
    fault: 'DeleteRecords behind what somebody who is away has received, and what somebody who is there will',
    seen: 'their senders hear that they are undeliverable',
    async act(stage) {
      const gone = await away(stage, 'trimmed', 10, 10);
      const there = await stage.extra('there');
      await stage.write(there, 10);
      stage.fault('deleted');
      await deleteBelow(stage, gone, 15);
      await deleteBelow(stage, there, 8);
      for (const person of [gone, there]) stage.forgotten(person, 'records');
      await stage.pause(1_000);
      await stage.write(there, 5);
      await comeBack(stage, [gone]);
      await stage.pause(4_000);
    },
    see: fatesTo('trimmed', 'undeliverable'),
  },
  {
    name: 'a log that lost its tail',
    world: 'one',
    fault: 'the broker stopped, the last records cut off the logs of two who are away and one who is there',
    seen: 'what is accepted afterwards is delivered, and what was lost is undeliverable',
    async act(stage) {
      const there = await stage.extra('online');
      await stage.write(there, 10);
      const read = await away(stage, 'read', 10, 0);
      const unread = await away(stage, 'unread', 2, 8);
      await stage.until('all is shown', (history) => Stage.shownTo(history, there) >= 10);
      await stage.pause(500);
      stage.fault('cut');
      const broker = stage.world.node(0);
      await broker.halt();
      for (const person of [there, read, unread]) {
        cutLog(broker, stage.topicOf(person), 5);
        stage.forgotten(person, 'records');
      }
      await broker.start();
      stage.mended('cut');
      await stage.write(there, 8);
      await stage.write(read, 8);
      await comeBack(stage, [read, unread]);
      await stage.pause(3_000);
    },
    see: fatesTo('unread', 'undeliverable'),
  },
  {
    name: 'the topic of an inbox deleted, and made again',
    world: 'one',
    fault: 'by Kafka’s own means: one who is away, one who is there, and one whose name gets another topic',
    seen: 'nothing is accepted that nobody would read, and the next login mends it',
    async act(stage) {
      const gone = await away(stage, 'dropped', 5, 5);
      const replaced = await away(stage, 'replaced', 5, 5);
      const there = await stage.extra('present');
      await stage.write(there, 5);
      stage.fault('deleted');
      const people = [gone, replaced, there];
      await stage.asOperator(async (admin) => {
        await admin.deleteTopics({ topics: people.map((person) => stage.topicOf(person)) });
        for (const person of people) stage.forgotten(person, 'records');
        await stage.pause(1_000);
        await admin.createTopics({
          topics: [{ topic: stage.topicOf(replaced), numPartitions: 1 }],
          waitForLeaders: false,
        });
      });
      // Nobody is told that these are stored before their recipients have inboxes again.
      const writing = people.map((person) => stage.write(person, 5));
      await stage.pause(2_000);
      await comeBack(stage, [gone, replaced]);
      await Promise.all(writing);
    },
  },
];
