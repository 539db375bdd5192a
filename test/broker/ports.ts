import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Below those that systems give to outgoing connections: one of these would be taken again before it is used. */
const [FIRST, END] = [10_000, 32_000];

/**
 * Ports on 127.0.0.1 that nobody listens on now. All are held open until the last is found, so they differ; somebody
 * else may still take one before it is used.
 */
export async function freePorts(count: number): Promise<number[]> {
  const held: { readonly port: number; readonly server: Server }[] = [];
  while (held.length < count) {
    const port = randomInt(FIRST, END);
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening').then(
      () => held.push({ port, server }),
      () => {}, // somebody has it
    );
  }
  await Promise.all(held.map(({ server }) => new Promise((resolve) => server.close(resolve))));
  return held.map(({ port }) => port);
}

/** One such port. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error('no free port');
  return port;
}
