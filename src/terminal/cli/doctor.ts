import { colorDepthOf, isUtf8 } from '../environment.ts';
import { readSettings, type Settings, SettingsError } from '../settings.ts';
import { ENV_FILE } from '../started.ts';
import { isYes } from '../yes.ts';
import { argumentsOf, atMost } from './arguments.ts';
import type { Context } from './context.ts';
import { type Check, checkJson, checkLines, failed } from './doctor/check.ts';
import { checkEnvFile, checkHistory, checkNode, checkSettings, checkTerminal } from './doctor/here.ts';
import { EXIT, type ExitCode, Failure } from './exit.ts';
import { TerminalPrompt } from './prompt.ts';

/** Looks at everything that has to work. @throws Failure with the exit code of the first thing that does not */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('doctor', context.args);
  atMost(args.positionals, 0, 'milena doctor takes options only');
  const utf8 = isUtf8(context.environment);
  const show = (check: Check) =>
    context.output.line(args.values.json === true ? checkJson(check) : checkLines(check, utf8));
  if (args.values.repair === true) return repair(context, args.values, show);
  if (args.values.free !== undefined || args.values.yes === true) {
    throw new Failure(EXIT.USAGE, '--free and --yes go with --repair.');
  }
  let exit: ExitCode = EXIT.OK;
  let count = 0;
  const looking =
    args.values.kafka === true
      ? checksOfKafka(context)
      : checks(context, () => readSettings(args.flags, context.environment));
  for await (const check of looking) {
    await show(check);
    if (check.state !== 'failed') continue;
    count += 1;
    if (exit === EXIT.OK) exit = check.exit;
  }
  if (exit === EXIT.OK) return;
  throw new Failure(exit, count === 1 ? 'One thing is wrong.' : `${count} things are wrong.`, {
    // Each check is an object.
    isPrinted: true,
  });
}

async function repair(
  context: Context,
  { free, yes }: { readonly free?: string | undefined; readonly yes?: boolean | undefined },
  show: (check: Check) => Promise<void>,
): Promise<void> {
  const { kafkaConfig } = await import('./doctor/kafka.ts');
  const { repairInboxes } = await import('./doctor/inboxes.ts');
  const { ConfigError } = await import('../../config/setting-table.ts');
  try {
    const left = await repairInboxes({
      config: kafkaConfig(context.environment),
      free: free?.split(',').map((name) => name.trim()) ?? [],
      show,
      confirm: () => (yes === true ? Promise.resolve() : confirm(context)),
    });
    if (left > 0) throw new Failure(EXIT.UNAVAILABLE, `Left to repair: ${left}.`, { isPrinted: true });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new Failure(EXIT.CONFIG, error.message, { cause: error });
  }
}

/** @throws Failure */
async function confirm(context: Context): Promise<void> {
  const prompt = TerminalPrompt.open(context);
  if (prompt === null) throw new Failure(EXIT.USAGE, 'Nothing was repaired: --yes says that it is meant.');
  try {
    const answer = await prompt.line('Repair that? Type yes: ');
    if (!isYes(answer)) throw new Failure(EXIT.NOT_PERMITTED, 'Nothing was repaired.');
  } finally {
    prompt.close();
  }
}

async function* checks(context: Context, read: () => Settings): AsyncGenerator<Check, void> {
  const { environment } = context;
  yield checkNode();
  yield checkTerminal(environment, {
    isTTY: process.stdout.isTTY,
    columns: process.stdout.columns,
    rows: process.stdout.rows,
    colours: process.stdout.isTTY ? 2 ** colorDepthOf(process.stdout, process.env) : 2,
  });
  let settings: Settings;
  try {
    settings = read();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    yield failed('settings', error.message, 'Mend that first: everything else depends on it.', EXIT.CONFIG);
    return;
  }
  yield checkSettings(settings);
  yield* secrets();
  yield checkHistory(settings);
  // Loaded here: what is wrong above is told also where these cannot even be loaded.
  const { checkServers } = await import('./doctor/server.ts');
  yield* checkServers(settings, context);
  const { kafkaChecks, isKafkaExpected } = await import('./doctor/kafka.ts');
  if (isKafkaExpected(settings, environment)) yield* await kafkaChecks(environment, false);
}

function* secrets(): Generator<Check> {
  const check = checkEnvFile(ENV_FILE);
  if (check !== null) yield check;
}

/** What a frontend looks at when it starts, without one. */
async function* checksOfKafka({ environment }: Context): AsyncGenerator<Check, void> {
  const { kafkaChecks } = await import('./doctor/kafka.ts');
  yield* secrets();
  yield* await kafkaChecks(environment, true);
}
