import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { Client } from '../../src/client/client.ts';
import { type ClientEvent, DEFAULT_OPTIONS } from '../../src/client/events.ts';
import { TestServer } from './test-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'milena-client-tls-'));
const certificates = new Map<string, { key: Buffer; cert: Buffer }>();

/** A certificate that signs itself, for that subject. */
async function makeCertificate(name: string, subject: string): Promise<void> {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const kind = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ];
  const args = [
    ...kind,
    '-subj',
    `/CN=${name}`,
    '-addext',
    `subjectAltName=${subject}`,
    '-keyout',
    key,
    '-out',
    cert,
  ];
  await promisify(execFile)('openssl', args);
  certificates.set(name, { key: readFileSync(key), cert: readFileSync(cert) });
}

beforeAll(async () => {
  await makeCertificate('here', 'IP:127.0.0.1');
  await makeCertificate('elsewhere', 'DNS:elsewhere.example');
});

afterAll(() => rmSync(folder, { recursive: true }));

async function serve(name: string, maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3'): Promise<TestServer> {
  const server = await TestServer.listen(0, createServer({ ...certificates.get(name), maxVersion }));
  onTestFinished(() => server.close());
  return server;
}

/** A client, and what it has to tell. */
function start(port: number, tls: { ca?: string } | undefined): { client: Client; events: ClientEvent[] } {
  const events: ClientEvent[] = [];
  const options = { ...DEFAULT_OPTIONS, servers: [{ host: '127.0.0.1', port }], tls };
  const client = new Client(options, (event) => events.push(event));
  client.start();
  onTestFinished(() => client.close());
  return { client, events };
}

function trusting(name: string): { ca: string } {
  return { ca: String(certificates.get(name)?.cert) };
}

async function reasonOf(port: number, tls: { ca?: string } | undefined): Promise<string> {
  const { events } = start(port, tls);
  return vi.waitFor(
    () => {
      const lost = events.find((event) => event.type === 'disconnected');
      if (lost?.type !== 'disconnected') throw new Error('not yet');
      expect(events.some((event) => event.type === 'connected')).toBe(false);
      return lost.reason;
    },
    { timeout: 10_000, interval: 5 },
  );
}

test('a server whose authority is trusted is spoken with', async () => {
  const server = await serve('here');
  const { client } = start(server.port, trusting('here'));
  await vi.waitFor(() => expect(client.state.link.kind).toBe('online'), { timeout: 10_000, interval: 5 });
  await client.login('al', 'secret');
  expect(client.state.account).toBe('al');
});

test('any other is not, and the reason says what to do', async () => {
  const [here, elsewhere, old] = [
    await serve('here'),
    await serve('elsewhere'),
    await serve('here', 'TLSv1.2'),
  ];
  expect(await reasonOf(here.port, {})).toMatch(/not signed by anybody .* --ca FILE/);
  expect(await reasonOf(here.port, trusting('elsewhere'))).toMatch(/--ca FILE/);
  expect(await reasonOf(elsewhere.port, trusting('elsewhere'))).toMatch(/for another name/);
  expect(await reasonOf(old.port, trusting('here'))).toMatch(/TLS 1\.3/);
  expect([here, elsewhere, old].flatMap(({ requests }) => requests)).toEqual([]);
});

test('plain text to TLS, and TLS to plain text', async () => {
  const [plain, tls] = [await TestServer.listen(), await serve('here')];
  onTestFinished(() => plain.close());
  expect(await reasonOf(tls.port, undefined)).toMatch(/use --tls/);
  plain.refuse = true;
  expect(await reasonOf(plain.port, trusting('here'))).toMatch(/does not speak TLS/);
});

test('in a list each certificate is checked against its own name, also that of a name with several addresses', async () => {
  const [named, here] = [await serve('elsewhere'), await serve('here')];
  const asked = async (name: string) => {
    const servers = [
      { host: name, port: named.port },
      { host: '127.0.0.1', port: here.port },
    ];
    // Nobody listens at the first address of the name.
    const lookup = async (host: string) => (host === name ? ['127.0.0.9', '127.0.0.1'] : [host]);
    const ca = [...certificates.values()].map(({ cert }) => String(cert)).join('');
    const client = new Client({ ...DEFAULT_OPTIONS, servers, lookup, tls: { ca } }, () => undefined);
    client.start();
    onTestFinished(() => client.close());
    const { link } = await vi.waitFor(
      () => {
        expect(client.state.link.kind).toBe('online');
        return client.state;
      },
      { timeout: 10_000, interval: 5 },
    );
    return link.kind === 'online' ? link.server : '';
  };
  expect(await asked('elsewhere.example')).toBe(`elsewhere.example:${named.port} (127.0.0.1)`);
  // The same server under a name that its certificate does not have.
  expect(await asked('other.example')).toBe(`127.0.0.1:${here.port}`);
});
