import { MAX_PAGE, type NamePage, parsePattern } from '../../client/index.ts';
import { jsonLine, sanitiseName } from '../sanitise.ts';
import { argumentsOf, atMost, limitOf } from './arguments.ts';
import type { Context } from './context.ts';
import { online } from './online.ts';

/** Prints the names of accounts, page by page. Nobody has to be logged in for that. */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('list', context.args);
  atMost(args.positionals, 1, 'milena list [PATTERN]');
  const pattern = parsePattern(args.positionals[0] ?? '');
  let left = limitOf(args.values.limit, Number.POSITIVE_INFINITY);
  let after: string | undefined;
  let more = true;
  // On another server it goes on behind the last name.
  await online(context, args, async (client) => {
    while (more && left > 0) {
      const page: NamePage = await client.list(pattern, { after, limit: Math.min(MAX_PAGE, left) });
      const lines = page.names.map((name) =>
        args.values.json === true ? jsonLine({ type: 'account', name }) : sanitiseName(name),
      );
      if (lines.length > 0) await context.output.line(lines.join('\n'));
      left -= page.names.length;
      after = page.names.at(-1);
      more = page.more && after !== undefined;
    }
    if (more) context.say('There are more.');
  });
}
