/*
 * A frame of every kind, at its smallest and with every optional field, and its bytes: version, size, opcode, and
 * the payload with a space between CBOR items. The bytes were not made by the codec under test.
 */

import type { ServerFrame } from '../../src/protocol/v2/replies.ts';
import type { Request } from '../../src/protocol/v2/requests.ts';

export const ID_A = bytes('000102030405060708090a0b0c0d0e0f');
export const ID_B = bytes('b0b1b2b3b4b5b6b7b8b9babbbcbdbebf');
export const ID_C = bytes('c0c1c2c3c4c5c6c7c8c9cacbcccdcecf');
export const TOKEN = bytes('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
export const RECEIPT = bytes('0102030405');

export const REQUESTS: readonly (readonly [string, Request, string])[] = [
  [
    'hello',
    { type: 'hello', client: 'milena 0.2' },
    '02 00000013 80 a1 66636c69656e74 6a6d696c656e6120302e32',
  ],
  [
    'hello with features',
    { type: 'hello', client: 'é', features: ['a', 'b'] },
    '02 00000019 80 a2 66636c69656e74 62c3a9 686665617475726573 82 6161 6162',
  ],
  [
    'create an open account',
    { type: 'create', username: 'alice' },
    '02 00000010 10 a1 68757365726e616d65 65616c696365',
  ],
  [
    'create',
    { type: 'create', username: 'alice', password: 'correct horse', displayName: 'Alicé' },
    '02 0000003a 10 a3 6870617373776f7264 6d636f727265637420686f727365 68757365726e616d65 65616c696365 ' +
      '6b646973706c61794e616d65 66416c6963c3a9',
  ],
  [
    'create with an invite',
    { type: 'create', username: 'alice', invite: 'k1.x' },
    '02 0000001c 10 a2 66696e76697465 646b312e78 68757365726e616d65 65616c696365',
  ],
  [
    'create to send only',
    { type: 'create', username: 'alice', deliver: 'none' },
    '02 0000001d 10 a2 6764656c69766572 646e6f6e65 68757365726e616d65 65616c696365',
  ],
  [
    'login to an open account',
    { type: 'login', username: 'alice' },
    '02 00000010 20 a1 68757365726e616d65 65616c696365',
  ],
  [
    'login',
    { type: 'login', username: 'alice', password: 'correct horse', takeover: true, deliver: 'live' },
    '02 0000003e 20 a4 6764656c69766572 646c697665 6870617373776f7264 6d636f727265637420686f727365 ' +
      '6874616b656f766572 f5 68757365726e616d65 65616c696365',
  ],
  [
    'login by token',
    { type: 'login', username: 'alice', token: TOKEN, deliver: 'all' },
    '02 00000044 20 a3 65746f6b656e 5820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f ' +
      '6764656c69766572 63616c6c 68757365726e616d65 65616c696365',
  ],
  [
    'login to send only',
    { type: 'login', username: 'bob', password: 'correct horse', deliver: 'none' },
    '02 00000032 20 a3 67 64656c69766572 64 6e6f6e65 68 70617373776f7264 6d 636f727265637420686f727365 68 757365726e616d65 63 626f62',
  ],
  [
    'login with a device',
    { type: 'login', username: 'bob', password: 'correct horse', device: 'phone', last: 50 },
    '02 00000039 20 a4 646c617374 1832 66646576696365 6570686f6e65 6870617373776f7264 ' +
      '6d636f727265637420686f727365 68757365726e616d65 63626f62',
  ],
  ['devices', { type: 'devices' }, '02 00000001 c4 a0'],
  [
    'forget device',
    { type: 'forget-device', device: 'phone' },
    '02 0000000e d4 a1 66646576696365 6570686f6e65',
  ],
  [
    'mark read',
    { type: 'mark-read', conversation: 'bob', upTo: 7 },
    '02 00000018 e4 a2 647570546f 07 6c636f6e766572736174696f6e 63626f62',
  ],
  ['logout', { type: 'logout' }, '02 00000001 30 a0'],
  ['delete of an open account', { type: 'delete' }, '02 00000001 40 a0'],
  [
    'delete',
    { type: 'delete', password: 'correct horse', force: true },
    '02 0000001f 40 a2 65666f726365 f5 6870617373776f7264 6d636f727265637420686f727365',
  ],
  ['list of all', { type: 'list' }, '02 00000001 50 a0'],
  [
    'list of some',
    { type: 'list', pattern: 'a*?', after: 'alice', limit: 1_000 },
    '02 00000022 50 a3 656166746572 65616c696365 656c696d6974 1903e8 677061747465726e 63612a3f',
  ],
  ['retrieve', { type: 'retrieve' }, '02 00000001 60 a0'],
  ['retrieve of some', { type: 'retrieve', limit: 1 }, '02 00000008 60 a1 656c696d6974 01'],
  [
    'send',
    { type: 'send', id: ID_A, to: 'bob', body: 'hé' },
    '02 00000025 70 a3 626964 50000102030405060708090a0b0c0d0e0f 62746f 63626f62 64626f6479 6368c3a9',
  ],
  [
    'send with a type',
    { type: 'send', id: ID_A, to: 'bob', body: '# hi\n', contentType: 'text/markdown' },
    '02 00000041 70 a4 626964 50000102030405060708090a0b0c0d0e0f 62746f 63626f62 64626f6479 65232068690a ' +
      '6b636f6e74656e7454797065 6d746578742f6d61726b646f776e',
  ],
  [
    'ack up to',
    { type: 'ack', upTo: 9_007_199_254_740_991 },
    '02 0000000f 90 a1 647570546f 1b001fffffffffffff',
  ],
  [
    'ack of ranges',
    {
      type: 'ack',
      ranges: [
        [0, 7],
        [9, 9],
      ],
    },
    '02 0000000f 90 a1 6672616e676573 82 82 00 07 82 09 09',
  ],
  [
    'ack of both',
    { type: 'ack', upTo: 7, ranges: [[9, 10]] },
    '02 00000012 90 a2 647570546f 07 6672616e676573 81 82 09 0a',
  ],
  ['status of none', { type: 'status', names: [] }, '02 00000008 a0 a1 656e616d6573 80'],
  [
    'status',
    { type: 'status', names: ['alice', 'bob'] },
    '02 00000012 a0 a1 656e616d6573 82 65616c696365 63626f62',
  ],
  ['ping', { type: 'ping' }, '02 00000001 b0 a0'],
  [
    'password of an open account',
    { type: 'password', new: 'correct horse' },
    '02 00000013 d0 a1 636e6577 6d636f727265637420686f727365',
  ],
  [
    'password',
    { type: 'password', old: 'correct horse', new: 'battery staple' },
    '02 00000026 d0 a2 636e6577 6e6261747465727920737461706c65 636f6c64 6d636f727265637420686f727365',
  ],
  ['receipts of none', { type: 'receipts', receipts: [] }, '02 0000000b e0 a1 687265636569707473 80'],
  [
    'receipts',
    { type: 'receipts', receipts: [RECEIPT, ID_A] },
    '02 00000022 e0 a1 687265636569707473 82 450102030405 50000102030405060708090a0b0c0d0e0f',
  ],
  ['block, asking', { type: 'block' }, '02 00000001 f0 a0'],
  [
    'block',
    { type: 'block', name: 'bob', blocked: true },
    '02 00000013 f0 a2 646e616d65 63626f62 67626c6f636b6564 f5',
  ],
  ['make a room', { type: 'room-create', room: '#ops' }, '02 0000000b 14 a1 64726f6f6d 64236f7073'],
  [
    'make a room with settings',
    {
      type: 'room-create',
      room: '#ops',
      policy: 'invited',
      description: 'é',
      retentionMs: 60_000,
      history: 10,
    },
    '02 00000041 14 a5 64726f6f6d 64236f7073 66706f6c696379 67696e7669746564 67686973746f7279 ' +
      '0a 6b6465736372697074696f6e 62c3a9 6b726574656e74696f6e4d73 19ea60',
  ],
  ['change a room', { type: 'room-set', room: '#ops' }, '02 0000000b 24 a1 64726f6f6d 64236f7073'],
  [
    'change all of a room',
    {
      type: 'room-set',
      room: '#ops',
      policy: 'open',
      description: '',
      retentionMs: 60_000,
      history: 0,
      owner: 'bob',
    },
    '02 00000046 24 a6 64726f6f6d 64236f7073 656f776e6572 63626f62 66706f6c696379 646f70656e ' +
      '67686973746f7279 00 6b6465736372697074696f6e 60 6b726574656e74696f6e4d73 19ea60',
  ],
  ['delete a room', { type: 'room-delete', room: '#ops' }, '02 0000000b 34 a1 64726f6f6d 64236f7073'],
  [
    'delete a room with people in it',
    { type: 'room-delete', room: '#ops', force: true },
    '02 00000012 34 a2 64726f6f6d 64236f7073 65666f726365 f5',
  ],
  ['join', { type: 'join', room: '#ops' }, '02 0000000b 44 a1 64726f6f6d 64236f7073'],
  [
    'join with what was said before',
    { type: 'join', room: '#ops', back: 1_000 },
    '02 00000013 44 a2 646261636b 1903e8 64726f6f6d 64236f7073',
  ],
  ['leave', { type: 'leave', room: '#ops' }, '02 0000000b 54 a1 64726f6f6d 64236f7073'],
  [
    'invite',
    { type: 'invite', room: '#ops', name: 'bob' },
    '02 00000014 64 a2 646e616d65 63626f62 64726f6f6d 64236f7073',
  ],
  [
    'kick',
    { type: 'kick', room: '#ops', name: 'bob' },
    '02 00000014 74 a2 646e616d65 63626f62 64726f6f6d 64236f7073',
  ],
  ['all rooms', { type: 'rooms' }, '02 00000001 84 a0'],
  [
    'some rooms',
    { type: 'rooms', pattern: 'o*', after: '#ops', limit: 100, mine: true },
    '02 00000025 84 a4 646d696e65 f5 656166746572 64236f7073 656c696d6974 1864 677061747465726e ' + '626f2a',
  ],
  ['members', { type: 'members', room: '#ops' }, '02 0000000b 94 a1 64726f6f6d 64236f7073'],
  [
    'some members',
    { type: 'members', room: '#ops', after: 'alice', limit: 1_000, invited: false },
    '02 00000029 94 a4 64726f6f6d 64236f7073 656166746572 65616c696365 656c696d6974 1903e8 ' +
      '67696e7669746564 f4',
  ],
  [
    'ask who has it',
    { type: 'holders', room: '#ops', seq: 7 },
    '02 00000010 a4 a2 63736571 07 64726f6f6d 64236f7073',
  ],
  [
    'ack of a room',
    { type: 'ack', room: '#ops', roomIncarnation: ID_B, upTo: 7 },
    '02 00000032 90 a3 64726f6f6d 64236f7073 647570546f 07 ' +
      '6f726f6f6d496e6361726e6174696f6e 50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf',
  ],
  [
    'send to a room',
    { type: 'send', id: ID_A, to: '#ops', body: 'hi' },
    '02 00000025 70 a3 626964 50000102030405060708090a0b0c0d0e0f 62746f 64236f7073 64626f6479 ' + '626869',
  ],
  [
    'make a window',
    { type: 'room-create', room: '#dlq', topic: 'orders.dlq', where: 'value.n > 1', as: '{{ value.n }}' },
    '02 0000003f 14 a4 626173 6d7b7b2076616c75652e6e207d7d 64726f6f6d 6423646c71 65746f706963 ' +
      '6a6f72646572732e646c71 657768657265 6b76616c75652e6e203e2031',
  ],
  [
    'change a window',
    { type: 'room-set', room: '#dlq', where: '', as: '' },
    '02 00000016 24 a3 626173 60 64726f6f6d 6423646c71 657768657265 60',
  ],
  [
    'ask for a record',
    { type: 'raw', room: '#dlq', partition: 3, offset: 1_042 },
    '02 00000020 b4 a3 64726f6f6d 6423646c71 666f6666736574 190412 69706172746974696f6e 03',
  ],
  [
    'try a window',
    { type: 'preview', topic: 'orders.dlq' },
    '02 00000012 f4 a1 65746f706963 6a6f72646572732e646c71',
  ],
  [
    'try a window with all',
    { type: 'preview', topic: 'orders.dlq', where: 'true', as: '{{ key }}', last: 100 },
    '02 00000031 f4 a4 626173 697b7b206b6579207d7d 646c617374 1864 65746f706963 ' +
      '6a6f72646572732e646c71 657768657265 6474727565',
  ],
];

export const SERVER_FRAMES: readonly (readonly [string, ServerFrame, string])[] = [
  [
    'welcome',
    {
      type: 'welcome',
      server: 'milena 0.2',
      versions: [1, 2],
      features: ['f'],
      limits: {
        payloadBytes: 65_536,
        payloadBytesBeforeLogin: 4_096,
        bodyBytes: 65_280,
        window: 100,
        pingAfterMs: 30_000,
        closeAfterMs: 90_000,
      },
      time: 1_767_225_600_000,
    },
    '02 000000a5 81 a5 6474696d65 1b0000019b76daa800 666c696d697473 a6 6677696e646f77 1864 ' +
      '69626f64794279746573 19ff00 6b70696e6741667465724d73 197530 6c636c6f736541667465724d73 1a00015f90 ' +
      '6c7061796c6f61644279746573 1a00010000 777061796c6f616442797465734265666f72654c6f67696e 191000 ' +
      '66736572766572 6a6d696c656e6120302e32 686665617475726573 81 6166 6876657273696f6e73 82 01 02',
  ],
  [
    'created',
    {
      type: 'created',
      username: 'alice',
      incarnation: ID_B,
      inbox: ID_C,
      token: TOKEN,
      tokenExpiresAt: 1_767_225_600_000,
      undelivered: 3,
      limits: { window: 100, messagesPerSecond: 20 },
    },
    '02 000000b5 11 a7 65696e626f78 50c0c1c2c3c4c5c6c7c8c9cacbcccdcecf 65746f6b656e ' +
      '5820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 666c696d697473 a2 ' +
      '6677696e646f77 1864 716d657373616765735065725365636f6e64 14 68757365726e616d65 65616c696365 ' +
      '6b696e6361726e6174696f6e 50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 6b756e64656c697665726564 03 ' +
      '6e746f6b656e457870697265734174 1b0000019b76daa800',
  ],
  [
    'created with mailbox limits',
    {
      type: 'created',
      username: 'alice',
      incarnation: ID_B,
      inbox: ID_C,
      token: TOKEN,
      tokenExpiresAt: 1_767_225_600_000,
      undelivered: 3,
      limits: { window: 100, messagesPerSecond: 20, mailboxMessages: 10_000, mailboxBytes: 67_108_864 },
    },
    '02 000000da 11 a7 65696e626f78 50c0c1c2c3c4c5c6c7c8c9cacbcccdcecf 65746f6b656e ' +
      '5820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 666c696d697473 a4 ' +
      '6677696e646f77 1864 6c6d61696c626f784279746573 1a04000000 6f6d61696c626f784d65737361676573 192710 ' +
      '716d657373616765735065725365636f6e64 14 68757365726e616d65 65616c696365 6b696e6361726e6174696f6e ' +
      '50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 6b756e64656c697665726564 03 6e746f6b656e457870697265734174 ' +
      '1b0000019b76daa800',
  ],
  [
    'created after a loss',
    {
      type: 'created',
      username: 'alice',
      incarnation: ID_B,
      inbox: ID_C,
      token: TOKEN,
      tokenExpiresAt: 1_767_225_600_000,
      undelivered: 3,
      again: 5,
      gone: 3,
      limits: { window: 100, messagesPerSecond: 20 },
    },
    '02 000000c2 11 a9 64676f6e65 03 65616761696e 05 65696e626f78 50c0c1c2c3c4c5c6c7c8c9cacbcccdcecf ' +
      '65746f6b656e 5820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 666c696d697473 a2 ' +
      '6677696e646f77 1864 716d657373616765735065725365636f6e64 14 68757365726e616d65 65616c696365 ' +
      '6b696e6361726e6174696f6e 50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 6b756e64656c697665726564 03 ' +
      '6e746f6b656e457870697265734174 1b0000019b76daa800',
  ],
  [
    'logged in',
    {
      type: 'logged-in',
      username: 'alice',
      incarnation: ID_B,
      inbox: ID_C,
      token: TOKEN,
      tokenExpiresAt: 1_767_225_600_000,
      undelivered: 3,
      limits: { window: 100, messagesPerSecond: 20 },
    },
    '02 000000b5 21 a7 65696e626f78 50c0c1c2c3c4c5c6c7c8c9cacbcccdcecf 65746f6b656e ' +
      '5820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 666c696d697473 a2 ' +
      '6677696e646f77 1864 716d657373616765735065725365636f6e64 14 68757365726e616d65 65616c696365 ' +
      '6b696e6361726e6174696f6e 50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 6b756e64656c697665726564 03 ' +
      '6e746f6b656e457870697265734174 1b0000019b76daa800',
  ],
  [
    'logged in with mailbox limits',
    {
      type: 'logged-in',
      username: 'alice',
      incarnation: ID_B,
      inbox: ID_C,
      token: TOKEN,
      tokenExpiresAt: 1_767_225_600_000,
      undelivered: 3,
      limits: { window: 100, messagesPerSecond: 20, mailboxMessages: 10_000, mailboxBytes: 67_108_864 },
    },
    '02 000000da 21 a7 65696e626f78 50c0c1c2c3c4c5c6c7c8c9cacbcccdcecf 65746f6b656e ' +
      '5820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 666c696d697473 a4 ' +
      '6677696e646f77 1864 6c6d61696c626f784279746573 1a04000000 6f6d61696c626f784d65737361676573 192710 ' +
      '716d657373616765735065725365636f6e64 14 68757365726e616d65 65616c696365 6b696e6361726e6174696f6e ' +
      '50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 6b756e64656c697665726564 03 6e746f6b656e457870697265734174 ' +
      '1b0000019b76daa800',
  ],
  [
    'logged in after a loss',
    {
      type: 'logged-in',
      username: 'alice',
      incarnation: ID_B,
      inbox: ID_C,
      token: TOKEN,
      tokenExpiresAt: 1_767_225_600_000,
      undelivered: 3,
      again: 5,
      gone: 3,
      limits: { window: 100, messagesPerSecond: 20 },
    },
    '02 000000c2 21 a9 64676f6e65 03 65616761696e 05 65696e626f78 50c0c1c2c3c4c5c6c7c8c9cacbcccdcecf ' +
      '65746f6b656e 5820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 666c696d697473 a2 ' +
      '6677696e646f77 1864 716d657373616765735065725365636f6e64 14 68757365726e616d65 65616c696365 ' +
      '6b696e6361726e6174696f6e 50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 6b756e64656c697665726564 03 ' +
      '6e746f6b656e457870697265734174 1b0000019b76daa800',
  ],
  ['logged out', { type: 'logged-out' }, '02 00000001 31 a0'],
  ['deleted', { type: 'deleted', undelivered: 2 }, '02 0000000e 41 a1 6b756e64656c697665726564 02'],
  [
    'listed none',
    { type: 'listed', names: [], more: false },
    '02 0000000e 51 a2 646d6f7265 f4 656e616d6573 80',
  ],
  [
    'listed',
    { type: 'listed', names: ['alice', 'bob'], more: true },
    '02 00000018 51 a2 646d6f7265 f5 656e616d6573 82 65616c696365 63626f62',
  ],
  [
    'retrieved none',
    { type: 'retrieved', messages: [], more: false },
    '02 00000011 61 a2 646d6f7265 f4 686d65737361676573 80',
  ],
  [
    'retrieved',
    {
      type: 'retrieved',
      messages: [
        {
          seq: 7,
          verified: true,
          id: ID_A,
          from: 'alice',
          fromIncarnation: ID_B,
          body: 'hi',
          sentAt: 1_767_225_600_000,
          contentType: 'text/markdown',
        },
        { seq: 8, verified: false, external: 'cron', body: '', sentAt: 1_767_225_600_000, id: ID_A },
      ],
      more: true,
    },
    '02 000000db 61 a2 646d6f7265 f5 686d65737361676573 82 a8 626964 50000102030405060708090a0b0c0d0e0f ' +
      '63736571 07 64626f6479 626869 6466726f6d 65616c696365 6673656e744174 1b0000019b76daa800 ' +
      '687665726966696564 f5 6b636f6e74656e7454797065 6d746578742f6d61726b646f776e ' +
      '6f66726f6d496e6361726e6174696f6e 50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf a6 626964 ' +
      '50000102030405060708090a0b0c0d0e0f 63736571 08 64626f6479 60 6673656e744174 1b0000019b76daa800 ' +
      '6865787465726e616c 6463726f6e 687665726966696564 f4',
  ],
  [
    'sent',
    { type: 'sent', id: ID_A, acceptedAt: 1_767_225_600_000, receipt: RECEIPT, recipientLoggedIn: true },
    '02 0000004a 71 a4 626964 50000102030405060708090a0b0c0d0e0f 6772656365697074 450102030405 ' +
      '6a61636365707465644174 1b0000019b76daa800 71726563697069656e744c6f67676564496e f5',
  ],
  ['status', { type: 'status', loggedIn: ['bob'] }, '02 0000000f a1 a1 686c6f67676564496e 81 63626f62'],
  ['pong', { type: 'pong', time: 1_767_225_600_000 }, '02 0000000f b1 a1 6474696d65 1b0000019b76daa800'],
  [
    'password changed',
    { type: 'password-changed', token: TOKEN, tokenExpiresAt: 1_767_225_600_000 },
    '02 00000041 d1 a2 65746f6b656e 5820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f ' +
      '6e746f6b656e457870697265734174 1b0000019b76daa800',
  ],
  [
    'fates',
    { type: 'fates', fates: ['delivered', 'waiting', 'undeliverable', 'unknown'] },
    '02 00000030 e1 a1 656661746573 84 6964656c697665726564 6777616974696e67 6d756e64656c6976657261626c65 ' +
      '67756e6b6e6f776e',
  ],
  ['blocked', { type: 'blocked', blocked: ['bob'] }, '02 0000000e f1 a1 67626c6f636b6564 81 63626f62'],
  [
    'failure',
    { type: 'failure', code: 'BUSY', message: 'no' },
    '02 00000016 22 a2 64636f6465 6442555359 676d657373616765 626e6f',
  ],
  [
    'created with a device',
    {
      type: 'created',
      username: 'alice',
      incarnation: ID_B,
      inbox: ID_C,
      device: 'phone',
      token: TOKEN,
      tokenExpiresAt: 1_767_225_600_000,
      undelivered: 3,
      limits: { window: 100, messagesPerSecond: 20 },
    },
    '02 000000c2 11 a8 65696e626f78 50c0c1c2c3c4c5c6c7c8c9cacbcccdcecf 65746f6b656e ' +
      '5820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 66646576696365 ' +
      '6570686f6e65 666c696d697473 a26677696e646f771864716d657373616765735065725365636f6e6414 ' +
      '68757365726e616d65 65616c696365 6b696e6361726e6174696f6e 50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf ' +
      '6b756e64656c697665726564 03 6e746f6b656e457870697265734174 1b0000019b76daa800',
  ],
  [
    'logged in with a device',
    {
      type: 'logged-in',
      username: 'alice',
      incarnation: ID_B,
      inbox: ID_C,
      device: 'phone',
      token: TOKEN,
      tokenExpiresAt: 1_767_225_600_000,
      undelivered: 3,
      limits: { window: 100, messagesPerSecond: 20 },
    },
    '02 000000c2 21 a8 65696e626f78 50c0c1c2c3c4c5c6c7c8c9cacbcccdcecf 65746f6b656e ' +
      '5820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 66646576696365 ' +
      '6570686f6e65 666c696d697473 a26677696e646f771864716d657373616765735065725365636f6e6414 ' +
      '68757365726e616d65 65616c696365 6b696e6361726e6174696f6e 50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf ' +
      '6b756e64656c697665726564 03 6e746f6b656e457870697265734174 1b0000019b76daa800',
  ],
  [
    'devices listed',
    {
      type: 'devices-listed',
      devices: [
        { loggedIn: false, waiting: 2 },
        { device: 'phone', lastLogin: 1_767_225_600_000, loggedIn: true, waiting: 0 },
      ],
    },
    '02 00000052 c5 a1 6764657669636573 ' +
      '82a26777616974696e6702686c6f67676564496ef4a4666465766963656570686f6e656777616974696e6700686c6f67676564496ef5696c6173744c6f67696e1b0000019b76daa800',
  ],
  [
    'device forgotten',
    { type: 'device-forgotten', device: 'phone' },
    '02 0000000e d5 a1 66646576696365 6570686f6e65',
  ],
  ['marked', { type: 'marked' }, '02 00000001 e5 a0'],
  [
    'sent elsewhere',
    {
      type: 'sent-elsewhere',
      seq: 7,
      id: ID_A,
      to: 'bob',
      toIncarnation: ID_B,
      body: 'hi',
      sentAt: 1_767_225_600_000,
    },
    '02 00000058 c6 a6 626964 50000102030405060708090a0b0c0d0e0f 62746f 63626f62 63736571 07 ' +
      '64626f6479 626869 6673656e744174 1b0000019b76daa800 6d746f496e6361726e6174696f6e ' +
      '50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf',
  ],
  [
    'sent elsewhere with all that there is',
    {
      type: 'sent-elsewhere',
      seq: 7,
      id: ID_A,
      to: 'bob',
      toIncarnation: ID_B,
      body: 'hi',
      sentAt: 1_767_225_600_000,
      contentType: 'text/plain',
      device: 'phone',
    },
    '02 0000007c c6 a8 626964 50000102030405060708090a0b0c0d0e0f 62746f 63626f62 63736571 07 ' +
      '64626f6479 626869 66646576696365 6570686f6e65 6673656e744174 1b0000019b76daa800 ' +
      '6b636f6e74656e7454797065 6a746578742f706c61696e 6d746f496e6361726e6174696f6e ' +
      '50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf',
  ],
  [
    'read elsewhere',
    { type: 'read-elsewhere', seq: 8, conversation: 'bob', upTo: 7 },
    '02 0000001d e6 a3 63736571 08 647570546f 07 6c636f6e766572736174696f6e 63626f62',
  ],
  [
    'read elsewhere with a device',
    { type: 'read-elsewhere', seq: 8, conversation: 'bob', upTo: 7, device: 'phone' },
    '02 0000002a e6 a4 63736571 08 647570546f 07 66646576696365 6570686f6e65 ' +
      '6c636f6e766572736174696f6e 63626f62',
  ],
  [
    'failure with details',
    {
      type: 'failure',
      code: 'HAS_UNDELIVERED',
      message: 'no',
      request: 64,
      retryAfterMs: 500,
      undelivered: 3,
      id: ID_A,
    },
    '02 0000005c 22 a6 626964 50000102030405060708090a0b0c0d0e0f 64636f6465 ' +
      '6f4841535f554e44454c495645524544 676d657373616765 626e6f 6772657175657374 1840 ' +
      '6b756e64656c697665726564 03 6c726574727941667465724d73 1901f4',
  ],
  [
    'failure of a create that made the account',
    { type: 'failure', code: 'BUSY', message: 'no', request: 16, created: true },
    '02 00000028 22 a4 64636f6465 6442555359 6763726561746564 f5 676d657373616765 626e6f 6772657175657374 10',
  ],
  [
    'failure of a send that is surely not stored',
    { type: 'failure', code: 'UNAVAILABLE', message: 'no', request: 112, id: ID_A, stored: false },
    '02 00000043 22 a5 626964 50000102030405060708090a0b0c0d0e0f 64636f6465 6b554e415641494c41424c45 ' +
      '6673746f726564 f4 676d657373616765 626e6f 6772657175657374 1870',
  ],
  [
    'message of a user',
    {
      type: 'message',
      seq: 7,
      verified: true,
      id: ID_A,
      from: 'alice',
      fromIncarnation: ID_B,
      body: 'hi',
      sentAt: 1_767_225_600_000,
    },
    '02 00000068 72 a7 626964 50000102030405060708090a0b0c0d0e0f 63736571 07 64626f6479 626869 6466726f6d ' +
      '65616c696365 6673656e744174 1b0000019b76daa800 687665726966696564 f5 ' +
      '6f66726f6d496e6361726e6174696f6e 50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf',
  ],
  [
    'message of a user with a type',
    {
      type: 'message',
      seq: 7,
      verified: true,
      id: ID_A,
      from: 'alice',
      fromIncarnation: ID_B,
      body: 'hi',
      sentAt: 1_767_225_600_000,
      contentType: 'text/markdown',
    },
    '02 00000082 72 a8 626964 50000102030405060708090a0b0c0d0e0f 63736571 07 64626f6479 626869 6466726f6d ' +
      '65616c696365 6673656e744174 1b0000019b76daa800 687665726966696564 f5 6b636f6e74656e7454797065 ' +
      '6d746578742f6d61726b646f776e 6f66726f6d496e6361726e6174696f6e 50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf',
  ],
  [
    'external message',
    { type: 'message', seq: 8, verified: false, external: 'cron', body: '', sentAt: 1_767_225_600_000 },
    '02 00000034 72 a5 63736571 08 64626f6479 60 6673656e744174 1b0000019b76daa800 6865787465726e616c ' +
      '6463726f6e 687665726966696564 f4',
  ],
  [
    'external message with an id and a type',
    {
      type: 'message',
      seq: 8,
      verified: false,
      external: 'cron',
      body: '',
      sentAt: 1_767_225_600_000,
      id: ID_A,
      contentType: 'text/plain',
    },
    '02 0000005f 72 a7 626964 50000102030405060708090a0b0c0d0e0f 63736571 08 64626f6479 60 6673656e744174 ' +
      '1b0000019b76daa800 6865787465726e616c 6463726f6e 687665726966696564 f4 6b636f6e74656e7454797065 ' +
      '6a746578742f706c61696e',
  ],
  [
    'delivered',
    { type: 'delivered', ids: [ID_A] },
    '02 00000017 92 a1 63696473 81 50000102030405060708090a0b0c0d0e0f',
  ],
  [
    'delivered and undeliverable',
    { type: 'delivered', ids: [], undeliverable: [ID_A, ID_B] },
    '02 00000037 92 a2 63696473 80 6d756e64656c6976657261626c65 82 50000102030405060708090a0b0c0d0e0f ' +
      '50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf',
  ],
  ['ping', { type: 'ping' }, '02 00000001 b2 a0'],
  [
    'created to send only',
    {
      type: 'created',
      username: 'bob',
      incarnation: ID_B,
      limits: { window: 100, messagesPerSecond: 20 },
    },
    '02 0000004f 11 a3 66 6c696d697473 a2 66 77696e646f77 1864 71 6d657373616765735065725365636f6e64 14 68 757365726e616d65 63 626f62 6b 696e6361726e6174696f6e 50 b0b1b2b3b4b5b6b7b8b9babbbcbdbebf',
  ],
  [
    'logged in to send only',
    {
      type: 'logged-in',
      username: 'bob',
      incarnation: ID_B,
      limits: { window: 100, messagesPerSecond: 20 },
    },
    '02 0000004f 21 a3 66 6c696d697473 a2 66 77696e646f77 1864 71 6d657373616765735065725365636f6e64 14 68 757365726e616d65 63 626f62 6b 696e6361726e6174696f6e 50 b0b1b2b3b4b5b6b7b8b9babbbcbdbebf',
  ],
  [
    'goodbye',
    { type: 'goodbye', code: 'REPLACED', reason: 'no' },
    '02 00000019 c2 a2 64636f6465 685245504c41434544 66726561736f6e 626e6f',
  ],
  [
    'goodbye with a time',
    { type: 'goodbye', code: 'SHUTTING_DOWN', reason: 'no', retryAfterMs: 1_000 },
    '02 0000002e c2 a3 64636f6465 6d5348555454494e475f444f574e 66726561736f6e 626e6f ' +
      '6c726574727941667465724d73 1903e8',
  ],
  [
    'room made',
    {
      type: 'room-created',
      room: '#ops',
      incarnation: ID_B,
      policy: 'open',
      description: '',
      retentionMs: 2_592_000_000,
      history: 0,
      members: 0,
    },
    '02 00000064 15 a7 64726f6f6d 64236f7073 66706f6c696379 646f70656e 67686973746f7279 00 ' +
      '676d656d62657273 00 6b6465736372697074696f6e 60 6b696e6361726e6174696f6e ' +
      '50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 6b726574656e74696f6e4d73 1a9a7ec800',
  ],
  [
    'room made, and everything of it',
    {
      type: 'room-created',
      room: '#ops',
      incarnation: ID_B,
      policy: 'invited',
      description: 'é',
      retentionMs: 60_000,
      history: 10,
      members: 2,
      owner: 'alice',
      role: 'member',
      since: 7,
    },
    '02 00000086 15 aa 64726f6c65 666d656d626572 64726f6f6d 64236f7073 656f776e6572 ' +
      '65616c696365 6573696e6365 07 66706f6c696379 67696e7669746564 67686973746f7279 0a ' +
      '676d656d62657273 02 6b6465736372697074696f6e 62c3a9 6b696e6361726e6174696f6e ' +
      '50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 6b726574656e74696f6e4d73 19ea60',
  ],
  [
    'room changed',
    {
      type: 'room-changed',
      room: '#ops',
      incarnation: ID_B,
      policy: 'open',
      description: '',
      retentionMs: 2_592_000_000,
      history: 0,
      members: 0,
    },
    '02 00000064 25 a7 64726f6f6d 64236f7073 66706f6c696379 646f70656e 67686973746f7279 00 ' +
      '676d656d62657273 00 6b6465736372697074696f6e 60 6b696e6361726e6174696f6e ' +
      '50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 6b726574656e74696f6e4d73 1a9a7ec800',
  ],
  [
    'room changed, and everything of it',
    {
      type: 'room-changed',
      room: '#ops',
      incarnation: ID_B,
      policy: 'invited',
      description: 'é',
      retentionMs: 60_000,
      history: 10,
      members: 2,
      owner: 'alice',
      role: 'member',
      since: 7,
    },
    '02 00000086 25 aa 64726f6c65 666d656d626572 64726f6f6d 64236f7073 656f776e6572 ' +
      '65616c696365 6573696e6365 07 66706f6c696379 67696e7669746564 67686973746f7279 0a ' +
      '676d656d62657273 02 6b6465736372697074696f6e 62c3a9 6b696e6361726e6174696f6e ' +
      '50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 6b726574656e74696f6e4d73 19ea60',
  ],
  [
    'joined',
    {
      type: 'joined',
      room: '#ops',
      incarnation: ID_B,
      policy: 'open',
      description: '',
      retentionMs: 2_592_000_000,
      history: 0,
      members: 0,
    },
    '02 00000064 45 a7 64726f6f6d 64236f7073 66706f6c696379 646f70656e 67686973746f7279 00 ' +
      '676d656d62657273 00 6b6465736372697074696f6e 60 6b696e6361726e6174696f6e ' +
      '50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 6b726574656e74696f6e4d73 1a9a7ec800',
  ],
  [
    'joined, and everything of it',
    {
      type: 'joined',
      room: '#ops',
      incarnation: ID_B,
      policy: 'invited',
      description: 'é',
      retentionMs: 60_000,
      history: 10,
      members: 2,
      owner: 'alice',
      role: 'member',
      since: 7,
    },
    '02 00000086 45 aa 64726f6c65 666d656d626572 64726f6f6d 64236f7073 656f776e6572 ' +
      '65616c696365 6573696e6365 07 66706f6c696379 67696e7669746564 67686973746f7279 0a ' +
      '676d656d62657273 02 6b6465736372697074696f6e 62c3a9 6b696e6361726e6174696f6e ' +
      '50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 6b726574656e74696f6e4d73 19ea60',
  ],
  ['room deleted', { type: 'room-deleted', room: '#ops' }, '02 0000000b 35 a1 64726f6f6d 64236f7073'],
  ['left', { type: 'left', room: '#ops' }, '02 0000000b 55 a1 64726f6f6d 64236f7073'],
  ['invited', { type: 'invited', room: '#ops' }, '02 0000000b 65 a1 64726f6f6d 64236f7073'],
  ['kicked', { type: 'kicked', room: '#ops' }, '02 0000000b 75 a1 64726f6f6d 64236f7073'],
  [
    'rooms',
    {
      type: 'rooms-listed',
      rooms: [
        {
          room: '#ops',
          incarnation: ID_B,
          policy: 'open',
          description: '',
          retentionMs: 2_592_000_000,
          history: 0,
          members: 0,
        },
        {
          room: '#ops',
          incarnation: ID_B,
          policy: 'invited',
          description: 'é',
          retentionMs: 60_000,
          history: 10,
          members: 2,
          owner: 'alice',
          role: 'member',
          since: 7,
        },
      ],
      more: true,
    },
    '02 000000f8 85 a2 646d6f7265 f5 65726f6f6d73 82 a7 64726f6f6d 64236f7073 66706f6c696379 ' +
      '646f70656e 67686973746f7279 00 676d656d62657273 00 6b6465736372697074696f6e 60 ' +
      '6b696e6361726e6174696f6e 50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 6b726574656e74696f6e4d73 ' +
      '1a9a7ec800 aa 64726f6c65 666d656d626572 64726f6f6d 64236f7073 656f776e6572 65616c696365 ' +
      '6573696e6365 07 66706f6c696379 67696e7669746564 67686973746f7279 0a 676d656d62657273 02 ' +
      '6b6465736372697074696f6e 62c3a9 6b696e6361726e6174696f6e ' +
      '50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 6b726574656e74696f6e4d73 19ea60',
  ],
  [
    'members',
    { type: 'members-listed', members: ['alice', 'bob'], more: false },
    '02 0000001a 95 a2 646d6f7265 f4 676d656d62657273 82 65616c696365 63626f62',
  ],
  [
    'who has it',
    { type: 'holders-told', members: 3, having: 2, missing: ['bob'] },
    '02 0000001f a5 a3 66686176696e67 02 676d656d62657273 03 676d697373696e67 81 63626f62',
  ],
  [
    'gap',
    { type: 'gap', room: '#ops', messages: 5 },
    '02 00000015 62 a2 64726f6f6d 64236f7073 686d65737361676573 05',
  ],
  [
    'message in a room',
    {
      type: 'message',
      room: '#ops',
      roomIncarnation: ID_B,
      seq: 7,
      verified: true,
      id: ID_A,
      from: 'alice',
      fromIncarnation: ID_B,
      body: 'hi',
      sentAt: 1_767_225_600_000,
    },
    '02 00000093 72 a9 626964 50000102030405060708090a0b0c0d0e0f 63736571 07 64626f6479 626869 ' +
      '6466726f6d 65616c696365 64726f6f6d 64236f7073 6673656e744174 1b0000019b76daa800 ' +
      '687665726966696564 f5 6f66726f6d496e6361726e6174696f6e 50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf ' +
      '6f726f6f6d496e6361726e6174696f6e 50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf',
  ],
  [
    'external message in a room',
    {
      type: 'message',
      room: '#ops',
      roomIncarnation: ID_B,
      seq: 8,
      verified: false,
      external: 'cron',
      body: '',
      sentAt: 1_767_225_600_000,
    },
    '02 0000005f 72 a7 63736571 08 64626f6479 60 64726f6f6d 64236f7073 6673656e744174 ' +
      '1b0000019b76daa800 6865787465726e616c 6463726f6e 687665726966696564 f4 ' +
      '6f726f6f6d496e6361726e6174696f6e 50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf',
  ],
  [
    'window made',
    {
      type: 'room-created',
      room: '#dlq',
      incarnation: ID_B,
      policy: 'open',
      description: '',
      retentionMs: 2_592_000_000,
      history: 0,
      members: 1,
      topic: 'orders.dlq',
      where: 'true',
      as: '{{ key }}',
      owner: 'bob',
      role: 'owner',
      since: 0,
    },
    '02 000000a9 15 ad 626173 697b7b206b6579207d7d 64726f6c65 656f776e6572 64726f6f6d 6423646c71 ' +
      '656f776e6572 63626f62 6573696e6365 00 65746f706963 6a6f72646572732e646c71 657768657265 ' +
      '6474727565 66706f6c696379 646f70656e 67686973746f7279 00 676d656d62657273 01 ' +
      '6b6465736372697074696f6e 60 6b696e6361726e6174696f6e 50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf ' +
      '6b726574656e74696f6e4d73 1a9a7ec800',
  ],
  [
    'window changed',
    {
      type: 'room-changed',
      room: '#dlq',
      incarnation: ID_B,
      policy: 'open',
      description: '',
      retentionMs: 2_592_000_000,
      history: 0,
      members: 1,
      topic: 'orders.dlq',
      where: 'true',
      as: '{{ key }}',
    },
    '02 0000008d 25 aa 626173 697b7b206b6579207d7d 64726f6f6d 6423646c71 65746f706963 ' +
      '6a6f72646572732e646c71 657768657265 6474727565 66706f6c696379 646f70656e 67686973746f7279 ' +
      '00 676d656d62657273 01 6b6465736372697074696f6e 60 6b696e6361726e6174696f6e ' +
      '50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 6b726574656e74696f6e4d73 1a9a7ec800',
  ],
  [
    'window joined',
    {
      type: 'joined',
      room: '#dlq',
      incarnation: ID_B,
      policy: 'open',
      description: '',
      retentionMs: 2_592_000_000,
      history: 0,
      members: 1,
      topic: 'orders.dlq',
      where: 'true',
      as: '{{ key }}',
    },
    '02 0000008d 45 aa 626173 697b7b206b6579207d7d 64726f6f6d 6423646c71 65746f706963 ' +
      '6a6f72646572732e646c71 657768657265 6474727565 66706f6c696379 646f70656e 67686973746f7279 ' +
      '00 676d656d62657273 01 6b6465736372697074696f6e 60 6b696e6361726e6174696f6e ' +
      '50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 6b726574656e74696f6e4d73 1a9a7ec800',
  ],
  [
    'a record',
    {
      type: 'raw-told',
      topic: 'orders.dlq',
      record: {
        time: 1_767_225_600_000,
        headers: [{ name: 'trace', value: bytes('6f6e') }],
        key: bytes('6b'),
        value: bytes('76'),
        keyBytes: 2_000,
        valueBytes: 300_000,
      },
    },
    '02 00000070 b5 a2 65746f706963 6a6f72646572732e646c71 667265636f7264 ' +
      'a6636b6579416b6474696d651b0000019b76daa8006576616c75654176676865616465727381a2646e616d6565' +
      '74726163656576616c7565426f6e686b657942797465731907d06a76616c756542797465731a000493e0',
  ],
  [
    'no record',
    { type: 'raw-told', topic: 'orders.dlq' },
    '02 00000012 b5 a1 65746f706963 6a6f72646572732e646c71',
  ],
  [
    'previewed',
    {
      type: 'previewed',
      lines: [{ partition: 0, offset: 988, time: 1_767_225_600_000, text: '{"sum":7}', note: 'filter: no' }],
      looked: 2,
      leftOut: 1,
      paused: 'slow',
    },
    '02 00000068 f5 a4 656c696e6573 ' +
      '81a5646e6f74656a66696c7465723a206e6f6474657874697b2273756d223a377d6474696d651b0000019b76da' +
      'a800666f66667365741903dc69706172746974696f6e00 666c6f6f6b6564 02 66706175736564 64736c6f77 ' +
      '676c6566744f7574 01',
  ],
  [
    'previewed nothing',
    { type: 'previewed', lines: [], looked: 0, leftOut: 0 },
    '02 00000019 f5 a3 656c696e6573 80 666c6f6f6b6564 00 676c6566744f7574 00',
  ],
  [
    'notice of records',
    { type: 'notice', room: '#dlq', text: '37 more', records: 37, partition: 0, offset: 7 },
    '02 00000035 66 a5 64726f6f6d 6423646c71 6474657874 673337206d6f7265 666f6666736574 07 ' +
      '677265636f726473 1825 69706172746974696f6e 00',
  ],
  [
    'notice',
    { type: 'notice', room: '#dlq', text: 'gone' },
    '02 00000015 66 a2 64726f6f6d 6423646c71 6474657874 64676f6e65',
  ],
  [
    'record of a window',
    {
      type: 'message',
      seq: 7_168,
      room: '#dlq',
      roomIncarnation: ID_B,
      verified: false,
      external: 'orders.dlq',
      body: 'x',
      sentAt: 1_767_225_600_000,
      partition: 0,
      offset: 7,
      note: 'filter: no',
    },
    '02 0000008b 72 aa 63736571 191c00 64626f6479 6178 646e6f7465 6a66696c7465723a206e6f ' +
      '64726f6f6d 6423646c71 666f6666736574 07 6673656e744174 1b0000019b76daa800 ' +
      '6865787465726e616c 6a6f72646572732e646c71 687665726966696564 f4 69706172746974696f6e 00 ' +
      '6f726f6f6d496e6361726e6174696f6e 50b0b1b2b3b4b5b6b7b8b9babbbcbdbebf',
  ],
  [
    'bad filter',
    { type: 'failure', code: 'BAD_FILTER', message: 'no', request: 20, line: 1, column: 13 },
    '02 00000033 22 a5 64636f6465 6a4241445f46494c544552 646c696e65 01 66636f6c756d6e 0d ' +
      '676d657373616765 626e6f 6772657175657374 14',
  ],
];

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}
