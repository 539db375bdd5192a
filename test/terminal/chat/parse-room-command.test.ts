import { expect, test } from 'vitest';
import { type ChatCommand, parseCommand } from '../../../src/terminal/chat/commands.ts';

test.each<[string, ChatCommand]>([
  ['/join #ops', { type: 'join', room: '#ops', back: 50 }],
  ['/join OPS 7', { type: 'join', room: '#ops', back: 7 }],
  ['/leave', { type: 'leave', room: null }],
  ['/part #ops', { type: 'leave', room: '#ops' }],
  ['/members', { type: 'members', room: null }],
  ['/names #ops', { type: 'members', room: '#ops' }],
  ['/invite bob', { type: 'invite', name: 'bob', room: null }],
  ['/invite #ops Bob', { type: 'invite', name: 'bob', room: '#ops' }],
  ['/kick bob #ops', { type: 'kick', name: 'bob', room: '#ops' }],
  ['/room', { type: 'room-about', room: null }],
  ['/room #ops', { type: 'room-about', room: '#ops' }],
  ['/room create ops', { type: 'room-create', room: '#ops', settings: { policy: 'open' } }],
  ['/room create #ops invited', { type: 'room-create', room: '#ops', settings: { policy: 'invited' } }],
  ['/room delete', { type: 'room-delete', room: null }],
  ['/room owner bob', { type: 'room-owner', name: 'bob', room: null }],
  ['/room list #o*', { type: 'room-list', pattern: 'o*' }],
  ['/room set invited', { type: 'room-set', room: null, settings: { policy: 'invited' } }],
  [
    '/room set #about about  what   about soup ',
    { type: 'room-set', room: '#about', settings: { description: 'what   about soup' } },
  ],
  ['/room set about', { type: 'room-set', room: null, settings: { description: '' } }],
  ['/room set keep 12h', { type: 'room-set', room: null, settings: { retentionMs: 43_200_000 } }],
  ['/room set history 20', { type: 'room-set', room: null, settings: { history: 20 } }],
  [
    `/room create dlq --topic orders.dlq --where 'value.level == "error"' --as '{{ value.message }}'`,
    {
      ...{ type: 'room-create', room: '#dlq' },
      settings: {
        ...{ policy: 'open', topic: 'orders.dlq' },
        ...{ where: 'value.level == "error"', as: '{{ value.message }}' },
      },
    },
  ],
  [
    `/room preview #dlq --topic orders.dlq --where "key != 'probe'"`,
    { type: 'room-preview', topic: 'orders.dlq', settings: { where: "key != 'probe'" }, last: 20 },
  ],
  [
    '/room set #dlq where  value.level == "error"',
    { type: 'room-set', room: '#dlq', settings: { where: 'value.level == "error"' } },
  ],
  ['/room set as', { type: 'room-set', room: null, settings: { as: '' } }],
  ['/raw', { type: 'raw', place: null }],
  ['/raw 3/1042', { type: 'raw', place: { topic: null, partition: 3, offset: 1042 } }],
  ['/raw orders.dlq/3/1042', { type: 'raw', place: { topic: 'orders.dlq', partition: 3, offset: 1042 } }],
  ['/raw 3 1042', { type: 'raw', place: { topic: null, partition: 3, offset: 1042 } }],
  ['/holders', { type: 'holders' }],
  ['/msg #Ops the soup', { type: 'message', to: '#ops', text: 'the soup' }],
])('%s', (entered, command) => {
  expect(parseCommand(entered)).toEqual(command);
});

test.each([
  ['/join', /^Usage: \/join #ROOM/],
  ['/join #ops 1001', /^Usage: \/join #ROOM/],
  ['/join #o\u001b[2Jps', /room/],
  ['/leave #ops now', /^Usage: \/leave/],
  ['/invite', /^Usage: \/invite NAME/],
  ['/kick #ops', /^Usage: \/kick NAME/],
  ['/kick bob carol', /^Usage: \/kick NAME/],
  ['/room dance', /^Usage: \/room/],
  ['/room create #ops secret', /^Usage: \/room create/],
  ['/room create #dlq --topic', /^Usage: \/room create #ROOM --topic/],
  ["/room create #dlq --topic orders.dlq --where 'open", /^Usage: \/room create #ROOM --topic/],
  ['/room create --topic orders.dlq', /^Usage: \/room create #ROOM --topic/],
  ['/room create #dlq --topic ../x', /^Usage: \/room create #ROOM --topic/],
  ['/room create #dlq --topic t --colour red', /^Usage: \/room create #ROOM --topic/],
  ['/room preview --topic t --last 101', /^Usage: \/room create #ROOM --topic/],
  ['/room preview', /^Usage: \/room create #ROOM --topic/],
  ['/raw orders.dlq', /^Usage: \/raw/],
  ['/raw 1/99999999999999999', /^Usage: \/raw/],
  ['/holders bob', /^Usage: \/holders/],
  ['/room set', /^Usage: \/room set/],
  ['/room set keep for ever', /^Usage: \/room set/],
  ['/room set history 1001', /^Usage: \/room set/],
  ['/msg #', /room/i],
])('%s is a mistake', (entered, text) => {
  expect(parseCommand(entered)).toEqual({ type: 'mistake', text: expect.stringMatching(text) });
});
