/** From server to server: in which order, when there is a pause, what is told. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Address, serverText } from '../../src/client/address.ts';
import { Route, type RouteOptions, type Stop } from '../../src/client/route.ts';
import { LastServerFile } from '../../src/terminal/last-server.ts';

const servers: Server[] = [];
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'milena-route-'));
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  rmSync(directory, { recursive: true });
});

async function listening(host = '127.0.0.1', port = 0): Promise<Address> {
  const server = createServer((socket) => socket.destroy());
  servers.push(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return { host, port: address.port };
}

/** An address where nobody listens. */
async function nobody(): Promise<Address> {
  const address = await listening();
  await new Promise((resolve) => servers.pop()?.close(resolve));
  return address;
}

function routeTo(list: readonly Address[], more: Partial<RouteOptions> = {}): Route {
  return new Route({ servers: list, ...more });
}

async function next(route: Route, patienceMs = 2_000): Promise<Stop | undefined> {
  const opened = await route.open(() => patienceMs, new AbortController().signal);
  opened?.socket.destroy();
  return opened?.stop;
}

test('each server once in a round, and then none', async () => {
  const [north, south] = [await listening(), await listening()];
  const route = routeTo([north, south]);
  const first = await next(route);
  expect([first?.server, first?.label]).toEqual([north, serverText(north)]);
  expect(route.hasMore).toBe(true);
  expect((await next(route))?.server).toBe(south);
  expect([route.hasMore, await next(route)]).toEqual([false, undefined]);
  route.begin();
  expect((await next(route))?.server).toBe(north);
});

test('what refuses is stepped over, and named with its reason when all have', async () => {
  const [gone, north, other] = [await nobody(), await listening(), await nobody()];
  const route = routeTo([gone, north, other]);
  const stop = await next(route);
  expect(stop?.server).toBe(north);
  if (stop !== undefined) route.failed(stop, 'it hung up');
  expect(await next(route)).toBeUndefined();
  const [one, two, three] = [gone, north, other].map(serverText);
  expect(route.reason).toBe(
    `${one} (nobody listens there), ${two} (it hung up), ${three} (nobody listens there)`,
  );
});

test('one alone is not named', async () => {
  const route = routeTo([await nobody()]);
  expect(await next(route)).toBeUndefined();
  expect(route.reason).toBe('nobody listens there');
});

test('all addresses of a name, and only that one for which it was asked', async () => {
  const { port } = await listening('127.0.0.3');
  const asked: string[] = [];
  const route = routeTo([{ host: 'milena.example', port }], {
    lookup: async (host) => {
      asked.push(host);
      return ['127.0.0.2', '127.0.0.3', '127.0.0.4'];
    },
  });
  const stop = await next(route);
  expect(stop).toEqual({
    server: { host: 'milena.example', port },
    address: { host: '127.0.0.3', port },
    label: `milena.example:${port} (127.0.0.3)`,
  });
  expect(asked).toEqual(['milena.example']);
  expect(await next(route)).toBeUndefined();
  expect(route.reason).toMatch(/^milena\.example:\d+ \(127\.0\.0\.2\) \(nobody .*\(127\.0\.0\.4\)/);
});

test('a name that nobody knows is one of several that fail', async () => {
  const north = await listening();
  const lookup = async (host: string) => {
    if (host === north.host) return [host];
    throw Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' });
  };
  const route = routeTo([{ host: 'nowhere.example', port: 1 }, north], { lookup });
  expect((await next(route))?.server).toBe(north);
  expect(await next(route)).toBeUndefined();
  expect(route.reason).toBe('nowhere.example:1 (no such host)');
});

test('a name server that does not answer is not waited for longer than a server', async () => {
  const north = await listening();
  const lookup = (host: string) =>
    host === north.host ? Promise.resolve([host]) : new Promise<string[]>(() => undefined);
  const route = routeTo([{ host: 'slow.example', port: 1 }, north], { lookup });
  expect((await next(route, 300))?.server).toBe(north);
});

describe('after a good connection', () => {
  test('the others come first, at once, and then there is a pause', async () => {
    const list = [await listening(), await listening(), await listening()];
    const route = routeTo(list);
    await next(route);
    const second = await next(route);
    if (second === undefined) throw new Error('no second');
    route.good(second);
    route.lost(second, 'it died');
    expect([(await next(route))?.server, (await next(route))?.server]).toEqual([list[2], list[0]]);
    expect(await next(route)).toBeUndefined();
    // From then on with the one that was good last.
    route.begin();
    expect((await next(route))?.server).toBe(list[1]);
  });

  test('other addresses of the same name come before other names', async () => {
    const { port } = await listening('127.0.0.2');
    await listening('127.0.0.3', port);
    const south = await listening();
    const lookup = async (host: string) => (host === 'a.example' ? ['127.0.0.2', '127.0.0.3'] : [host]);
    const route = routeTo([{ host: 'a.example', port }, south], { lookup });
    const first = await next(route);
    if (first === undefined) throw new Error('no first');
    route.good(first);
    route.lost(first, 'it died');
    expect((await next(route))?.address.host).toBe('127.0.0.3');
    expect((await next(route))?.server).toBe(south);
    expect(await next(route)).toBeUndefined();
  });

  test('one alone gets its pause', async () => {
    const route = routeTo([await listening()]);
    const stop = await next(route);
    if (stop !== undefined) route.lost(stop, 'it died');
    expect([route.hasMore, route.reason]).toEqual([false, 'it died']);
  });
});

describe('a server that asks not to be tried for a while', () => {
  test('is left alone, others are not', async () => {
    const [north, south] = [await listening(), await listening()];
    const route = routeTo([north, south]);
    const stop = await next(route);
    if (stop === undefined) throw new Error('no stop');
    route.hold(stop, 60_000);
    route.lost(stop, 'back later');
    expect((await next(route))?.server).toBe(south);
    expect(await next(route)).toBeUndefined();
    expect(route.heldMs).toBe(0);
    route.begin();
    expect((await next(route))?.server).toBe(south);
  });

  test('is waited for where all have asked, and for no more than minutes', async () => {
    const route = routeTo([await listening()]);
    const stop = await next(route);
    if (stop === undefined) throw new Error('no stop');
    route.hold(stop, 40_000_000);
    route.lost(stop, 'back in a year');
    expect(await next(route)).toBeUndefined();
    expect(route.heldMs).toBeGreaterThan(290_000);
    expect(route.heldMs).toBeLessThanOrEqual(300_000);
  });
});

describe('the last good server', () => {
  const list = [
    { host: '127.0.0.1', port: 1 },
    { host: 'b.example', port: 2 },
  ];

  test('is the first of a later process, whatever case the list is written in', () => {
    LastServerFile.in(directory, list)?.remember('b.example:2', '192.0.2.7');
    const again = LastServerFile.in(
      directory,
      [list[0], { host: 'B.EXAMPLE', port: 2 }].filter((one) => one !== undefined),
    );
    expect([again?.server(), again?.address()]).toEqual(['b.example:2', '192.0.2.7']);
    expect(LastServerFile.in(directory, list.slice(1))?.server()).toBeUndefined();
  });

  test('begins the round, as does its address', async () => {
    const north = await listening();
    const { port } = await listening('127.0.0.2');
    await listening('127.0.0.3', port);
    const named = { host: 'a.example', port };
    const lookup = async (host: string) => (host === 'a.example' ? ['127.0.0.2', '127.0.0.3'] : [host]);
    const first = routeTo([north, named], {
      lookup,
      lastServer: LastServerFile.in(directory, [north, named]),
    });
    for (let stop = await next(first); stop !== undefined; stop = await next(first)) first.good(stop);
    const again = routeTo([north, named], {
      lookup,
      lastServer: LastServerFile.in(directory, [north, named]),
    });
    expect((await next(again))?.address.host).toBe('127.0.0.3');
  });

  test('is not written down where there is no choice', async () => {
    const north = await listening();
    const route = routeTo([north], { lastServer: LastServerFile.in(directory, [north]) });
    const stop = await next(route);
    if (stop !== undefined) route.good(stop);
    expect(() => readFileSync(join(directory, 'servers.json'))).toThrow(/ENOENT/);
  });

  test('of so many lists is remembered, in a file that only its owner reads', () => {
    for (let port = 1; port <= 80; port++) {
      LastServerFile.in(directory, [{ host: 'a', port }])?.remember(`a:${port}`, '127.0.0.1');
    }
    const text = readFileSync(join(directory, 'servers.json'), 'utf8');
    expect(Object.keys(JSON.parse(text))).toHaveLength(50);
    expect(LastServerFile.in(directory, [{ host: 'a', port: 80 }])?.server()).toBe('a:80');
  });

  test.each([
    '',
    'no JSON',
    '[]',
    '{"127.0.0.1:1,b.example:2":"x"}',
    '{"a":[1,2]}',
    'null',
    'x'.repeat(300_000),
  ])('in a file with %.20j is none, and the file is mended', (text) => {
    writeFileSync(join(directory, 'servers.json'), text);
    const last = LastServerFile.in(directory, list);
    expect(last?.server()).toBeUndefined();
    last?.remember('b.example:2', '192.0.2.7');
    expect(LastServerFile.in(directory, list)?.server()).toBe('b.example:2');
  });

  test('in a folder that cannot be made is none', () => {
    writeFileSync(join(directory, 'file'), '');
    const last = LastServerFile.in(join(directory, 'file', 'folder'), list);
    last?.remember('b.example:2', '192.0.2.7');
    expect(last?.server()).toBe('b.example:2');
  });
});
