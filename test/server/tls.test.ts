import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { TLSSocket } from 'node:tls';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startServer } from '../../src/server/index.ts';
import type { Limits } from '../../src/server/limits.ts';
import { demandProtected } from '../../src/server/net/tls.ts';
import { eventually } from '../contracts/cluster.ts';
import { FaultyStore } from '../storage/faulty-store.ts';
import { certificateFolder, makeCertificate } from './certificate.ts';
import { CHEAP, PASSWORD, testSettings } from './house.ts';
import { RawClient2 } from './raw-client2.ts';

interface OpenOptions {
  readonly maxConnections?: number;
  readonly limits?: Partial<Limits>;
}

/** A frontend that speaks TLS. */
async function openSecure({ maxConnections = 10, limits = {} }: OpenOptions = {}) {
  const tls = await certificateFolder();
  await makeCertificate(tls, 'first');
  const logged: string[] = [];
  const frontend = await startServer(new FaultyStore().open(), testSettings({ maxConnections, tls }), {
    log: pino({ level: 'trace' }, { write: (line: string) => logged.push(line) }),
    limits: { lingerMs: 200, passwordCost: CHEAP, ...limits },
  });
  const clients: RawClient2[] = [];
  onTestFinished(async () => {
    for (const client of clients) client.socket.destroy();
    await frontend.drain();
  });
  /** Trusts the certificate that lies in the file now, and no other. */
  const connectSecure = async () => {
    const client = await RawClient2.connect(frontend.address, { ca: readFileSync(tls.certFile) });
    clients.push(client);
    return client;
  };
  return { tls, frontend, logged, connectSecure };
}

describe('TLS', () => {
  it('carries messages, in version 1.3', async () => {
    const { connectSecure, frontend } = await openSecure();
    const anna = await connectSecure();
    if (!(anna.socket instanceof TLSSocket)) throw new Error('not TLS');
    expect(anna.socket.getProtocol()).toBe('TLSv1.3');
    await anna.create('anna', PASSWORD);
    await anna.send('anna', 'x'.repeat(60_000));
    await eventually(() => expect(anna.messages).toHaveLength(1));
    anna.write({ type: 'logout' });
    expect(await anna.reply()).toEqual({ type: 'logged-out' });
    await anna.over();
    await eventually(() => expect(frontend.sessionCount).toBe(0));
  });

  it('of an older version is refused', async () => {
    const { frontend, tls } = await openSecure();
    const ca = readFileSync(tls.certFile);
    await expect(RawClient2.connect(frontend.address, { ca, maxVersion: 'TLSv1.2' })).rejects.toThrow(
      /protocol version/i,
    );
  });

  it('is the only way in', async () => {
    const { frontend, connectSecure } = await openSecure();
    const plain = await RawClient2.connect(frontend.address);
    plain.write({ type: 'ping' });
    await plain.over();
    expect(plain.unread).toEqual([]);
    await (await connectSecure()).inStep();
    expect(frontend.sessionCount).toBe(1);
  });

  it('takes another certificate without a restart, and connections that are there go on', async () => {
    const { tls, frontend, connectSecure } = await openSecure();
    const before = await connectSecure();
    await makeCertificate(tls, 'second');
    frontend.reloadCertificate();
    const after = await connectSecure();
    if (!(after.socket instanceof TLSSocket)) throw new Error('not TLS');
    expect(after.socket.getPeerCertificate().subject.CN).toBe('second');
    await after.inStep();
    await before.inStep();
  });

  it('takes it by itself when the files change', async () => {
    const { tls, connectSecure } = await openSecure();
    await (await connectSecure()).inStep();
    await makeCertificate(tls, 'second');
    await eventually(async () => (await connectSecure()).inStep());
  });

  it('goes on with the certificate it has when the new one is no good', async () => {
    const { tls, frontend, logged, connectSecure } = await openSecure();
    const good = readFileSync(tls.certFile);
    writeFileSync(tls.certFile, 'not a certificate');
    frontend.reloadCertificate();
    expect(logged.join('')).toContain('the old one stays');
    writeFileSync(tls.certFile, good);
    await (await connectSecure()).inStep();
  });

  it('ends a handshake that does not end', async () => {
    const { frontend, connectSecure } = await openSecure({ limits: { handshakeMs: 200 } });
    const silent = connect(frontend.address);
    silent.on('error', () => {});
    let closed = false;
    silent.on('close', () => {
      closed = true;
    });
    silent.resume();
    await eventually(() => expect(closed).toBe(true));
    await (await connectSecure()).inStep();
  });

  it('lets a crowd in that comes at once, from one address', async () => {
    const { connectSecure } = await openSecure({ maxConnections: 500, limits: { handshakesAtOnce: 8 } });
    const crowd = await Promise.all(Array.from({ length: 100 }, () => connectSecure()));
    await Promise.all(crowd.map((client) => client.inStep()));
  });

  it('lets a newcomer in although others begin handshakes and never end them', async () => {
    const { frontend, connectSecure } = await openSecure({
      maxConnections: 500,
      limits: { handshakesAtOnce: 4, handshakeMs: 60_000 },
    });
    const silent = Array.from({ length: 20 }, () => connect(frontend.address));
    for (const socket of silent) socket.on('error', () => {}).resume();
    await (await connectSecure()).inStep();
    for (const socket of silent) socket.destroy();
  });

  it('is over at the end of the frontend, also for those whose handshake comes late', async () => {
    const { frontend } = await openSecure();
    const late = connect(frontend.address);
    late.on('error', () => {}).resume();
    await once(late, 'connect');
    const closed = new Promise((resolve) => late.once('close', resolve));
    expect(await frontend.drain()).toBe(0);
    await closed;
  });

  it('has no place left when all are logged in, and has one again when somebody is gone', async () => {
    const { connectSecure } = await openSecure();
    const people = await Promise.all(Array.from({ length: 10 }, () => connectSecure()));
    for (const [i, person] of people.entries()) await person.create(`person-${i}`);
    await expect(connectSecure()).rejects.toThrow();
    people[0]?.socket.destroy();
    await eventually(async () => (await connectSecure()).inStep());
  });
});

describe('without TLS', () => {
  const files = { certFile: 'a', keyFile: 'b' };
  it.each([
    { host: '127.0.0.1', tls: null, plaintext: false },
    { host: '0.0.0.0', tls: files, plaintext: false },
    { host: '0.0.0.0', tls: null, plaintext: true },
  ])('a frontend may listen: %j', (config) => expect(() => demandProtected(config)).not.toThrow());

  it('a frontend does not listen where others can come, and says what to do', () => {
    const config = { host: '0.0.0.0', tls: null, plaintext: false };
    expect(() => demandProtected(config)).toThrow(/MILENA_TLS_CERT.*MILENA_PLAINTEXT=true.*MILENA_HOST/s);
  });

  it.each([
    ['a file that is not there', () => ({ certFile: '/nowhere/tls.crt', keyFile: '/nowhere/tls.key' })],
    ['a file that is no certificate', () => ({ certFile: 'package.json', keyFile: 'package.json' })],
  ])('%s is named', async (_, files) => {
    const log = pino({ level: 'silent' });
    await expect(
      startServer(new FaultyStore().open(), testSettings({ tls: files() }), { log }),
    ).rejects.toThrow(`MILENA_TLS_CERT=${files().certFile}`);
  });
});
