import { ProtocolError } from '../../protocol/errors.ts';
import { parsePattern } from '../../protocol/names.ts';
import { MAX_PAGE } from '../../protocol/v2/requests.ts';
import { jsonLine } from '../json.ts';
import { sanitiseName } from '../sanitise.ts';
import { argumentsOf, atMost, limitOf } from './arguments.ts';
import type { Context } from './context.ts';
import { EXIT, Failure } from './exit.ts';
import { online } from './online.ts';

/** Prints the names of accounts, page by page. Nobody has to be logged in for that. */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('list', context.args);
  atMost(args.positionals, 1, 'milena list [PATTERN]');
  const pattern = patternOf(args.positionals[0] ?? '');
  let left = limitOf(args.values.limit, Number.POSITIVE_INFINITY);
  let after: string | undefined;
  let more = true;
  // On another server it goes on behind the last name.
  await online(context, args, async (link) => {
    while (more && left > 0) {
      const limit = Math.min(MAX_PAGE, left);
      const request = {
        type: 'list',
        pattern,
        limit,
        ...(after !== undefined && { after }),
      } as const;
      const page = await link.connection.ask(request);
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

function patternOf(text: string): string {
  try {
    return parsePattern(text);
  } catch (error) {
    if (error instanceof ProtocolError) throw new Failure(EXIT.USAGE, error.message, { cause: error });
    throw error;
  }
}
