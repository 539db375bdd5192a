/*
 * Every command against a server that lies, stalls or floods: it ends as documented, and in time. All of them in this process;
 * hostile-programs.test.ts has some as programs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Context } from '../../../src/terminal/cli/context.ts';
import { checkServers } from '../../../src/terminal/cli/doctor/server.ts';
import { readSettings } from '../../../src/terminal/settings.ts';
import { CommandHere } from './command-here.ts';
import { endingCommands, FAULT, wrongEnd } from './ending.ts';
import { HostileServer, MALICE } from './hostile-server.ts';

/** What a command may take, and each check of the doctor. */
const SECONDS = 0.5;

test.concurrent.each(Object.entries(MALICE))(
  'a server that %s ends every command',
  // Each with its seconds, some for an orderly end, and what a busy machine adds.
  { timeout: 120_000 },
  async (_, malice) => {
    const server = await HostileServer.listen(malice());
    const folder = mkdtempSync(join(tmpdir(), 'milena-hostile-'));
    const secret = join(folder, 'new');
    writeFileSync(secret, 'another secret\n', { mode: 0o600 });
    const start = (args: readonly string[], work?: typeof checkAll) => {
      const settings = {
        MILENA_SERVER: `127.0.0.1:${server.port}`,
        MILENA_USER: 'alice',
        MILENA_PASSWORD: 'secret',
        MILENA_DATA_DIR: join(folder, args.join('-').replaceAll(/[^a-z-]/g, '')),
      };
      return { args, command: new CommandHere(args, settings, work) };
    };
    try {
      const all = [
        start(['doctor'], checkAll),
        ...endingCommands(SECONDS, secret).map((args) => start(args)),
      ];
      for (const { args, command } of all) {
        const code = await command.exited;
        const told = `${args.join(' ')}: ${code}\n${command.stderr.slice(0, 2_000)}`;
        expect(wrongEnd(code, command.stderr, [FAULT]), told).toBe(null);
      }
    } finally {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

/** What the doctor looks at of a server, with less patience than it has; resolves to its exit code. */
async function checkAll(context: Context): Promise<number> {
  let code = 0;
  for await (const check of checkServers(readSettings({}, context.environment), context, SECONDS * 1_000)) {
    context.say(check.text);
    code ||= check.exit;
  }
  return code;
}
