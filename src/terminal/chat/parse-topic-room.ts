/* `/room create` and `/room preview` with options, as the command line has them. */
import { parseArgs } from 'node:util';
import { wordsOf } from '../command-line.ts';
import type { RoomCommand } from './parse-room-command.ts';

/** Records that a preview looks at, and at most. */
const USUAL_LAST = 20;
const MAX_LAST = 100;
const TEXT = { type: 'string' } as const;
const OPTIONS = { topic: TEXT, where: TEXT, as: TEXT, policy: TEXT, last: TEXT };
/** As Kafka names topics. */
const TOPIC = /^[\w.-]{1,249}$/;

/**
 * Reads it with its quotes; of a preview the room may stand there, too, so that only one word has to change.
 * @param rest what stands behind `/room`. @returns null where it is written otherwise
 */
export function parseTopicRoom(
  rest: string,
): Extract<RoomCommand, { type: 'room-create' | 'room-preview' }> | null {
  const given = read(rest);
  if (given === null) return null;
  const { action, rooms, values } = given;
  const { topic, where, as, policy = 'open', last = String(USUAL_LAST) } = values;
  const [room, ...more] = rooms;
  if (topic === undefined || !TOPIC.test(topic) || more.length > 0) return null;
  const settings = { ...(where !== undefined && { where }), ...(as !== undefined && { as }) };
  if (action === 'preview') {
    const isGood = /^[1-9]\d{0,2}$/.test(last) && Number(last) <= MAX_LAST;
    return isGood ? { type: 'room-preview', topic, settings, last: Number(last) } : null;
  }
  if (room === undefined || values.last !== undefined || (policy !== 'open' && policy !== 'invited'))
    return null;
  return { type: 'room-create', room, settings: { policy, topic, ...settings } };
}

function read(rest: string) {
  const args = wordsOf(rest);
  if (args === undefined) return null;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    const [action, ...rooms] = positionals;
    return { action: action?.toLowerCase(), rooms, values };
  } catch (error) {
    // An option that there is not, or one without its value.
    if (error instanceof TypeError) return null;
    throw error;
  }
}
