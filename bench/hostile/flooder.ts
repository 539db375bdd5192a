/**
 * A process that floods a frontend, for a bounded time, and says on standard output when it has begun:
 *
 *     node bench/hostile/flooder.ts --port P --flood NAME [--connections 500] [--addresses 1] [--seconds 10]
 *
 * Its connections come from 127.1.0.1 on, shared out over so many addresses. It has the lowest priority: what an attacker's
 * machine has to do is not what is measured.
 */

import { createConnection, type Socket } from 'node:net';
import { constants, setPriority } from 'node:os';
import { parseArgs } from 'node:util';
import { FrameDecoder, MAX_REPLY_PAYLOAD } from '../../src/protocol/frame.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import { SERVER_OPCODES } from '../../src/protocol/v2/replies.ts';
import { FLOODS, PASSWORD } from './floods.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    flood: { type: 'string' },
    connections: { type: 'string', default: '500' },
    addresses: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '10' },
  },
});
const port = Number(values.port);
const flood = FLOODS[values.flood ?? ''];
if (flood === undefined) throw new Error(`--flood is one of: ${Object.keys(FLOODS).join(', ')}`);
const { next, pipelined, loggedIn = false, once = false, reconnects = false } = flood;
const connections = Number(values.connections);
const addresses = Number(values.addresses);
setPriority(constants.priority.PRIORITY_LOW);

/** Connections that are being made at once. */
const DIALS = 50;
/** Where a connection was refused, before the next try. */
const PAUSE_MS = 20;
let requests = 0;
let opened = 0;
let over = false;
const sockets = new Set<Socket>();
/** Those who wait for the rest; null once all have begun. */
let waiting: Socket[] | null = [];
/** What is written in one go. */
const many = Buffer.concat(Array.from({ length: pipelined }, (_, i) => next(i)));

setTimeout(() => {
  over = true;
  for (const socket of sockets) socket.destroy();
  console.log(JSON.stringify({ requests, opened }));
}, Number(values.seconds) * 1_000);

const dials: number[] = Array.from({ length: connections }, (_, i) => i);
let dialling = 0;
dial();

function dial(): void {
  while (!over && dialling < DIALS) {
    const i = dials.shift();
    if (i === undefined) return;
    dialling += 1;
    open(i);
  }
}

function open(i: number): void {
  const host = i % addresses;
  const localAddress = `127.${1 + (host >> 16)}.${(host >> 8) & 255}.${(host & 255) + 1}`;
  const socket = createConnection({ host: '127.0.0.1', port, localAddress });
  sockets.add(socket);
  let isOpen = false;
  const dialled = (): void => {
    if (isOpen) return;
    isOpen = true;
    dialling -= 1;
    dial();
  };
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('close', () => {
    sockets.delete(socket);
    dialled();
    if (over) return;
    setTimeout(() => {
      dials.push(i);
      dial();
    }, PAUSE_MS);
  });
  socket.on('connect', () => {
    opened += 1;
    dialled();
    if (loggedIn) enter(socket, i);
    else ready(socket);
  });
}

/** Logs in to an account of its own, which is there, then does as the others do. */
function enter(socket: Socket, i: number): void {
  const decoder = new FrameDecoder({ maxPayload: MAX_REPLY_PAYLOAD, versions: [1, 2] });
  const username = `flooder-${i}`;
  const login = v2.encodeRequest({ type: 'login', username, password: PASSWORD, takeover: true });
  const seen = (chunk: Buffer): void => {
    decoder.push(chunk);
    for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
      if (frame.opcode === SERVER_OPCODES.failure) setTimeout(() => socket.write(login), PAUSE_MS);
      if (frame.opcode !== SERVER_OPCODES['logged-in']) continue;
      socket.off('data', seen);
      ready(socket);
      return;
    }
  };
  socket.on('data', seen);
  socket.write(login);
}

/** All begin in the same moment; those that come back later at once. */
function ready(socket: Socket): void {
  if (waiting === null) {
    begin(socket);
    return;
  }
  waiting.push(socket);
  if (waiting.length < connections) return;
  const all = waiting;
  waiting = null;
  console.log('flooding');
  for (const each of all) begin(each);
}

function begin(socket: Socket): void {
  const some = (): Buffer => {
    requests += pipelined;
    return pipelined === 1 ? next(requests) : many;
  };
  if (once) {
    // What comes back is never read.
    socket.pause();
    socket.write(some());
    return;
  }
  if (reconnects && pipelined > 1) {
    socket.resume();
    socket.write(some(), () => socket.destroy());
    return;
  }
  if (pipelined === 1) {
    socket.on('data', () => {
      if (reconnects) socket.destroy();
      else socket.write(some());
    });
    const bytes = some();
    if (bytes.length > 0) socket.write(bytes);
    else socket.destroy();
    return;
  }
  socket.resume();
  const write = (): void => {
    if (!over && socket.writable) socket.write(some(), write);
  };
  write();
}
