/** The chat on its screen, and a server that floods it: small, and still to be left by a key. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { share, sized } from '../size.ts';
import { HostileServer, MALICE } from '../terminal/cli/hostile-server.ts';
import { closeClients, openClient, ownFolder, removeFolders } from './client-terminal.ts';
import { built } from './running-frontend.ts';

/** Node, Ink and React alone are some 120 MiB. */
const MAX_MIB = 400;
let server: HostileServer | undefined;

beforeAll(built);
afterEach(async () => {
  closeClients();
  await server?.close();
});
afterAll(removeFolders);

/** The most that the shell's child had, in MiB; 0 where the system does not tell. */
function memoryIn(folder: string): number {
  try {
    const shell = readFileSync(join(folder, 'shell'), 'utf8').trim();
    const [child] = readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').split(' ');
    return Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${child}/status`, 'utf8'))?.[1]) / 1024;
  } catch {
    return 0;
  }
}

const FLOODS: [string, string, RegExp][] = [
  ['pushes small messages without end', '', /alice .*● online/],
  ['pushes small messages without end', '--no-history', /alice .*● online/],
  // So much of it that the client may find some before the answer to its login, and then does not take it.
  ['pushes messages of a MiB without end', '--no-history', /alice .*● online|does not keep to the protocol/],
  ['fails acknowledgements without end', '--no-history', /y{20}…/],
  ['answers what nobody asked', '--no-history', /does not keep to the protocol/],
];

test.each(share(FLOODS, 2, 1))('a server that %s (%s)', { timeout: 120_000 }, async (name, args, sign) => {
  const malice = MALICE[name];
  if (malice === undefined) throw new Error(name);
  server = await HostileServer.listen(malice());
  const data = ownFolder();
  const terminal = openClient(server.port, { args, data, user: 'alice', before: 'echo $$ >shell' });
  await terminal.shows(/^ password of alice › *$/m);
  terminal.type('secret\r');
  await terminal.shows(sign);
  for (let look = 0; look < sized(6, 30); look++) {
    expect(memoryIn(data)).toBeLessThan(MAX_MIB);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  terminal.type('\u0003');
  await terminal.until(() => expect(terminal.exitCode).toBe(0));
});
