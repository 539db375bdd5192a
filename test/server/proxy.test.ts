import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FrameDecoder } from '../../src/protocol/frame.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import type { Request } from '../../src/protocol/v2/requests.ts';
import { readProxyHeader } from '../../src/server/net/proxy-header.ts';
import { blockListOf, isNetwork } from '../../src/util/networks.ts';
import { eventually } from '../contracts/cluster.ts';
import { certificateFolder, makeCertificate } from './certificate.ts';
import { type House, openHouse } from './house.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
/** From 192.0.2.1:56324 to 192.0.2.9:443. */
const IPV4 = Buffer.from(`${SIGNATURE}2111000cc0000201c0000209dc0401bb`, 'hex');
/** From 2001:db8::1, port 4000, and a TLV of 3 bytes behind it. */
const IPV6 = Buffer.from(
  `${SIGNATURE}2121002a20010db8000000000000000000000001` +
    `20010db8000000000000000000000002` +
    '0fa001bb040003aabbcc',
  'hex',
);
const LOCAL = Buffer.from(`${SIGNATURE}20000000`, 'hex');

describe('the header of PROXY protocol 2', () => {
  it.each([
    ['over IPv4', IPV4, { length: 28, remote: { address: '192.0.2.1', port: 56_324 } }],
    ['over IPv6, with more behind it', IPV6, { length: 58, remote: { address: '2001:db8::1', port: 4_000 } }],
    [
      'over IPv6, of somebody with IPv4',
      Buffer.from(`${SIGNATURE}21210024${'0'.repeat(20)}ffffcb007109${'0'.repeat(32)}0fa001bb`, 'hex'),
      { length: 52, remote: { address: '203.0.113.9', port: 4_000 } },
    ],
    ['of the balancer itself', LOCAL, { length: 16, remote: null }],
    [
      'for a socket of another kind',
      Buffer.from(`${SIGNATURE}21310000`, 'hex'),
      { length: 16, remote: null },
    ],
  ])('%s is read once it is whole, whatever follows', (_what, header, expected) => {
    for (let cut = 0; cut < header.length; cut++)
      expect(readProxyHeader(header.subarray(0, cut))).toBeUndefined();
    expect(readProxyHeader(header)).toEqual(expected);
    expect(readProxyHeader(Buffer.concat([header, Buffer.from('more')]))).toEqual(expected);
  });

  it.each([
    ['a frame', v2.encodeRequest({ type: 'ping' })],
    ['version 1 of the protocol', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.9 56324 443\r\n')],
    ['another version', Buffer.from(`${SIGNATURE}3111000c`, 'hex')],
    ['another command', Buffer.from(`${SIGNATURE}2211000c`, 'hex')],
    ['a length beyond the bound', Buffer.from(`${SIGNATURE}2111ffff`, 'hex')],
    ['addresses cut short', Buffer.from(`${SIGNATURE}21110004c0000201`, 'hex')],
  ])('is not %s', (_what, bytes) => {
    expect(() => readProxyHeader(bytes)).toThrow(RangeError);
  });
});

describe('networks', () => {
  it.each(['10.0.0.7', '10.0.0.0/8', '::1', 'fd00:1::/64', '0.0.0.0/0'])('%s is one', (text) => {
    expect(isNetwork(text)).toBe(true);
  });

  it.each(['', 'localhost', '10.0.0', '10.0.0.0/33', '::1/129', '10.0.0.0/', '10.0.0.0/x', '/8'])(
    '"%s" is none',
    (text) => {
      expect(isNetwork(text)).toBe(false);
    },
  );

  it('contain their addresses', () => {
    const list = blockListOf(['10.0.0.0/8', 'fd00:1::/64', '127.0.0.1']);
    expect([list.check('10.9.9.9'), list.check('11.0.0.1'), list.check('127.0.0.1')]).toEqual([
      true,
      false,
      true,
    ]);
    expect([list.check('fd00:1::5', 'ipv6'), list.check('fd00:2::5', 'ipv6')]).toEqual([true, false]);
  });
});

/** A connection that begins with these bytes, in the given cuts. */
async function through(house: House, ...cuts: Buffer[]): Promise<Socket> {
  const socket = connect(house.frontend.address);
  socket.on('error', () => {});
  socket.setNoDelay(true);
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  for (const cut of cuts) {
    socket.write(cut);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return socket;
}

/** Resolves when the other end has closed, in whatever way. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.resume().once('close', () => resolve()));
}

/** What is answered to a request. */
async function ask(socket: Socket, request: Request) {
  const decoder = new FrameDecoder({ maxPayload: 2 ** 20, versions: [1, 2] });
  const answer = new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      decoder.push(chunk);
      const frame = decoder.next();
      if (frame !== undefined) resolve(v2.decodeServerFrame(frame));
    });
  });
  socket.write(v2.encodeRequest(request));
  return answer;
}

const behindBalancer = (limits = {}) => openHouse({ proxies: blockListOf(['127.0.0.1']), limits });
const ping = v2.encodeRequest({ type: 'ping' });

describe('a connection through a balancer', () => {
  it('counts for whom it speaks, in whatever cuts the header comes', async () => {
    const house = await behindBalancer();
    const whole = await through(house, IPV4);
    expect(await ask(whole, { type: 'create', username: 'anna' })).toMatchObject({ type: 'created' });
    const cut = await through(house, ...[...IPV6].map((byte) => Buffer.of(byte)));
    expect(await ask(cut, { type: 'create', username: 'bert' })).toMatchObject({ type: 'created' });
    await eventually(() => {
      const logged = house.logged.join('');
      expect(logged).toContain('"address":"192.0.2.1"');
      expect(logged).toContain('"address":"2001:db8::1"');
    });
  });

  it('has the caps of that address, and not of the balancer', async () => {
    const house = await behindBalancer({ connectionsPerAddress: 1 });
    const first = await through(house, IPV4);
    await ask(first, { type: 'create', username: 'anna' });
    const other = await through(house, IPV6);
    expect(await ask(other, { type: 'create', username: 'bert' })).toMatchObject({ type: 'created' });
    const second = await through(house, IPV4, ping);
    await closed(second);
    const itself = await through(house, LOCAL);
    expect(await ask(itself, { type: 'ping' })).toMatchObject({ type: 'pong' });
  });

  it('reads what came along with the header', async () => {
    const house = await behindBalancer();
    const socket = await through(house, Buffer.concat([IPV4, ping, ping.subarray(0, 3)]), ping.subarray(3));
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    // Two pongs, each a header, a map of one key, and a time of eight bytes.
    await eventually(() => expect(bytes).toBe(2 * (6 + 1 + 5 + 9)));
  });

  it('without a header is closed, and so is one that takes too long', async () => {
    const house = await behindBalancer({ handshakeMs: 200 });
    for (const bytes of [ping, IPV4.subarray(0, 20), Buffer.alloc(0)]) {
      const socket = await through(house, ...(bytes.length > 0 ? [bytes] : []));
      await closed(socket);
    }
    expect(house.frontend.sessionCount).toBe(0);
  });

  it('from elsewhere is not believed', async () => {
    const house = await openHouse({ proxies: blockListOf(['10.0.0.0/8']) });
    const socket = await through(house, IPV4);
    const [chunk]: Buffer[] = await once(socket, 'data');
    expect(chunk?.toString()).toContain('not spoken here');
    expect(house.logged.join('')).not.toContain('192.0.2.1');
  });

  it('may be TLS behind the header', async () => {
    const tls = await certificateFolder();
    await makeCertificate(tls, 'first');
    const house = await openHouse({ proxies: blockListOf(['127.0.0.1']), tls });
    const raw = await through(house, IPV4);
    const secure = connectTls({ socket: raw, rejectUnauthorized: false });
    await once(secure, 'secureConnect');
    expect(await ask(secure, { type: 'create', username: 'anna' })).toMatchObject({ type: 'created' });
    expect(house.logged.join('')).toContain('"address":"192.0.2.1"');
  });
});
