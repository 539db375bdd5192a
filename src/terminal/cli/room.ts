import { suggest } from '../../util/suggest.ts';
import { jsonLine } from '../sanitise.ts';
import { argumentsOf, quoted } from './arguments.ts';
import { COMMANDS, ROOM_ACTIONS, type RoomAction } from './commands.ts';
import type { Context } from './context.ts';
import { EXIT, Failure } from './exit.ts';
import { loggedIn } from './online.ts';
import { ACTIONS, type RoomActionEntry, type RoomValues } from './room-actions.ts';

/** Options that every action has. */
const EVERYWHERE: readonly (keyof RoomValues)[] = ['json', 'timeout', 'takeover'];

/** Does something about rooms: makes and changes them, comes into them, says who is there. */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('room', context.args);
  const { values } = args;
  const [name, ...words] = args.positionals;
  const action = ACTIONS[actionOf(name)];
  const usage = `milena room ${action.usage}`;
  const [least, most] = action.words;
  if (words.length < least) throw new Failure(EXIT.USAGE, `Something is missing: ${usage}`);
  if (words.length > most) throw new Failure(EXIT.USAGE, `That is too much: ${usage}`);
  demandKnown(action, values, usage);
  const work = action.read({ words, values, usage });
  await loggedIn(
    context,
    args,
    async (me, { signal }) => {
      for await (const { object, text, isWord = false } of work(me.rooms, { signal })) {
        if (values.json === true) await context.output.line(jsonLine(object));
        else if (isWord) context.say(text);
        else await context.output.line(text);
      }
    },
    { needsNoInbox: true },
  );
}

/** @throws Failure `USAGE` */
function actionOf(text: string | undefined): RoomAction {
  const action = ROOM_ACTIONS.find((known) => known === text);
  if (action !== undefined) return action;
  const all = `milena room ${ROOM_ACTIONS.join('|')}`;
  if (text === undefined) throw new Failure(EXIT.USAGE, `What is to be done? ${all}`);
  const close = suggest(text, ROOM_ACTIONS);
  const hint = close === null ? all : `Is "${close}" meant?`;
  throw new Failure(EXIT.USAGE, `There is no action ${quoted(text)}. ${hint}`);
}

/** @throws Failure `USAGE` for an option that would do nothing */
function demandKnown({ options }: RoomActionEntry, values: RoomValues, usage: string): void {
  const known: readonly string[] = [...EVERYWHERE, ...options];
  const roomOptions = Object.keys(COMMANDS.room.options);
  const unknown = Object.keys(values).find((name) => roomOptions.includes(name) && !known.includes(name));
  if (unknown !== undefined) throw new Failure(EXIT.USAGE, `--${unknown} does nothing there: ${usage}`);
}
