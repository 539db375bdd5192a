import { expect, test } from 'vitest';
import { client, clientForEachTest, makeClient, server, told, until } from './harness.ts';
import { messageFrom } from './test-server.ts';

clientForEachTest();

test('the copy of a message that is not shown yet is acknowledged with it, not before', async () => {
  // Its sender has sent it again without an answer, so it lies in the inbox twice, and a receipt names the copy.
  makeClient({}, (event) => {
    if (event.type === 'message' && event.message.body !== 'later') client.shown(event.inbox, event.message);
  });
  client.start();
  await until(() => client.state.link.kind === 'online');
  await client.login('al', 'secret');
  const copy = messageFrom('bob', 5, 'later', 'bob 1');
  server.peer.send(messageFrom('bob', 1, 'later'), messageFrom('bob', 2, 'b'), copy);
  await until(() => server.asked('ack').length === 1);
  expect(server.asked('ack')).toEqual([{ type: 'ack', ranges: [[2, 2]] }]);
  server.peer.socket.destroy();
  await until(() => told('login-restored').length === 1);
  server.peer.send(messageFrom('bob', 1, 'later'), copy, messageFrom('bob', 6, 'c'));
  await until(() => server.asked('ack').length === 2);
  expect(server.asked('ack')[1]).toEqual({ type: 'ack', ranges: [[6, 6]] });
  const [first] = told('message');
  if (first === undefined) throw new Error('no message');
  client.shown(first.inbox, first.message);
  await until(() => server.asked('ack').length === 3);
  expect(server.asked('ack')[2]).toEqual({ type: 'ack', upTo: 5 });
  expect(told('message').map(({ message }) => message.body)).toEqual(['later', 'b', 'c']);
});
