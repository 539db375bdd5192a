/* `milena room`, and what `send` and `listen` do with rooms. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../../src/client/index.ts';
import { type House, openHouse, PASSWORD } from '../../server/house.ts';
import { CommandHere, endCommands } from './command-here.ts';
import type { Done } from './running-command.ts';
import {
  failedShape,
  holdersShape,
  memberShape,
  messageShape,
  roomDoneShape,
  roomShape,
  shaped,
} from './shapes.ts';

let folder: string;
let house: House;
let port = 1;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'milena-room-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(endCommands);

function start(user: string, ...args: string[]): CommandHere {
  return new CommandHere(args, {
    MILENA_SERVER: `127.0.0.1:${port}`,
    MILENA_USER: user,
    MILENA_PASSWORD: PASSWORD,
    MILENA_DATA_DIR: join(folder, user),
  });
}

const milena = (user: string, ...args: string[]): Promise<Done> => start(user, ...args).done();

describe('what cannot be meant', () => {
  test.each([
    [[], 'What is to be done? milena room list|create|'],
    [['jion', 'ops'], 'There is no action "jion". Is "join" meant?'],
    [['join'], 'Something is missing: milena room join ROOM'],
    [['join', '#a', 'b'], 'That is too much: milena room join ROOM'],
    [['join', '#'], '"#" is no room.'],
    [['invite', 'ops'], 'Something is missing: milena room invite ROOM NAME…'],
    [['invite', 'ops', 'b b'], '"b b" is no username.'],
    [['join', 'ops', '--force'], '--force does nothing there: milena room join ROOM'],
    [['join', 'ops', '--back', '1001'], '--back "1001": it must be a number, from 0 to 1000.'],
    [['set', 'ops'], 'What is to be changed? --policy, --description, --keep, --backlog'],
    [['set', 'ops', '--policy', 'shut'], '--policy "shut": it must be open or invited.'],
    [['create', 'ops', '--keep', '1d'], '--keep "1d": it must be days, up to 3650.'],
    [['create', 'ops', '--keep', '0'], '--keep "0": it must be days'],
    [['holders', 'ops', '-1'], 'There is no option "-1".'],
    [['holders', 'ops', 'x'], 'SEQ "x": it must be a number'],
  ])('%j ends before anything is asked', async (args, sentence) => {
    const { code, stdout, stderr } = await milena('alice', 'room', ...args);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toContain(sentence);
  });

  test('nobody waits until a room has a message', async () => {
    const { code, stderr } = await milena('alice', 'send', '--wait-delivered', '#ops', 'x');
    expect(code).toBe(64);
    expect(stderr).toContain('milena room holders');
  });
});

describe('with a server', () => {
  beforeEach(async () => {
    house = await openHouse();
    ({ port } = house.frontend.address);
    for (const user of ['alice', 'bob']) {
      const someone = await connect({ server: `127.0.0.1:${port}`, user, password: PASSWORD, create: true });
      await someone.logout();
    }
  });

  test('a room is made, talked in, heard and deleted', async () => {
    const made = await milena(
      'alice',
      'room',
      'create',
      'Ops',
      '--description',
      'on call',
      '--backlog',
      '9',
      '--keep',
      '0.5',
      '--json',
    );
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(shaped(roomShape, made.stdout)).toMatchObject([
      {
        room: '#ops',
        description: 'on call',
        history: 9,
        retentionMs: 43_200_000,
        role: 'owner',
        owner: 'alice',
      },
    ]);
    expect(await milena('alice', 'send', '#ops', 'before')).toMatchObject({ code: 0 });
    expect(await milena('bob', 'room', 'join', '#ops', '--back', '5')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'milena: You are in the room #ops.\n',
    });
    const listening = start('bob', 'listen', '--room', 'ops', '--json');
    await listening.printed(/before/);
    await milena('alice', 'send', 'bob', 'for you alone');
    expect((await milena('alice', 'send', '#ops', 'hello')).code).toBe(0);
    await listening.printed(/hello/);
    expect(await listening.kill('SIGTERM')).toBe(143);
    const messages = shaped(messageShape, listening.stdout);
    expect(messages.map(({ room, from, seq, body }) => [room, from, seq, body])).toEqual([
      ['#ops', 'alice', 0, 'before'],
      ['#ops', 'alice', 1, 'hello'],
    ]);
    expect((await milena('bob', 'retrieve')).stdout).toMatch(/Z alice: for you alone\n$/);
    const holders = await milena('alice', 'room', 'holders', 'ops', '1', '--json');
    expect(shaped(holdersShape, holders.stdout)).toEqual([
      { type: 'holders', room: '#ops', seq: 1, members: 2, having: 1, missing: ['alice'] },
    ]);
    expect((await milena('alice', 'listen', '--once')).stdout).toMatch(/Z #ops alice: before\n$/);
    expect((await milena('alice', 'room', 'holders', 'ops', '0')).stdout).toBe('2 of 2 have it.\n');
    const refused = await milena('alice', 'room', 'delete', 'ops', '--json');
    expect(refused.code).toBe(77);
    expect(shaped(failedShape, refused.stdout)).toMatchObject([{ code: 77 }]);
    const deleted = await milena('alice', 'room', 'delete', 'ops', '--force', '--json');
    expect(shaped(roomDoneShape, deleted.stdout)).toEqual([
      { type: 'room-done', action: 'delete', room: '#ops', name: null },
    ]);
    expect(await milena('alice', 'send', '#ops', 'x')).toMatchObject({ code: 67 });
  });

  test('its owner says who is in it', async () => {
    await milena('alice', 'room', 'create', 'ops', '--policy', 'invited');
    expect((await milena('alice', 'room', 'create', 'ops')).code).toBe(73);
    expect((await milena('bob', 'room', 'join', 'ops')).code).toBe(77);
    const invited = await milena('alice', 'room', 'invite', 'ops', 'bob', 'nobody');
    expect(invited).toMatchObject({
      code: 67,
      stderr: expect.stringContaining('bob may join the room #ops.'),
    });
    expect((await milena('alice', 'room', 'members', 'ops', '--invited')).stdout).toBe('bob\n');
    expect((await milena('bob', 'room', 'list', '--mine')).stdout).toBe('#ops (1 in it, invited, invited)\n');
    await milena('bob', 'room', 'join', 'ops');
    const members = await milena('bob', 'room', 'members', 'ops', '--json');
    expect(shaped(memberShape, members.stdout).map(({ name }) => name)).toEqual(['alice', 'bob']);
    expect((await milena('bob', 'room', 'set', 'ops', '--backlog', '1')).code).toBe(77);
    expect((await milena('alice', 'room', 'set', 'ops', '--policy', 'open')).code).toBe(0);
    expect((await milena('alice', 'room', 'owner', 'ops', 'bob')).stderr).toBe(
      "milena: The room #ops is bob's from now on.\n",
    );
    expect((await milena('bob', 'room', 'kick', 'ops', 'alice')).code).toBe(0);
    expect((await milena('alice', 'room', 'list', 'o*')).stdout).toBe('#ops (1 in it, open)\n');
    expect((await milena('alice', 'room', 'leave', 'ops')).code).toBe(77);
    expect((await milena('bob', 'room', 'leave', 'ops')).stderr).toContain(
      'You are not in the room #ops any more.',
    );
    expect((await milena('alice', 'room', 'list', '--mine')).stdout).toBe('');
  });
});
