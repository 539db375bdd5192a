/*
 * preview {topic, where, as, last} → previewed {lines, …}: what a room would show of the newest records of a topic.
 * Failures: TOPIC_NOT_ALLOWED, BAD_FILTER, BAD_TEMPLATE, RATE_LIMITED, UNAVAILABLE.
 */
import { recordTime } from '../../../core/windows.ts';
import type { ServerFrameOf } from '../../../protocol/v2/replies.ts';
import type { RequestFor } from '../command.ts';
import { accountNow, type Caller, type Principal, type Services } from '../context.ts';
import { demandPace } from './asked.ts';
import { windowOn } from './window-wanted.ts';

const USUAL_LAST = 20;

/** @throws ProtocolError, EngineError */
export async function preview(
  services: Services,
  { principal }: Caller<Principal>,
  { topic, where, as, last = USUAL_LAST }: RequestFor<'preview'>,
): Promise<ServerFrameOf<'previewed'>> {
  const person = accountNow(services, principal);
  demandPace(services, person);
  const { lines, looked, leftOut, paused } = await services.topicLooks.pass(person.name, () =>
    services.rooms.windows.preview(windowOn(topic, { where, as }), last),
  );
  return {
    type: 'previewed',
    lines: lines.map(({ partition, offset, timestamp, text, note }) => ({
      ...{ partition, offset, text, time: recordTime(timestamp) },
      ...(note !== null && { note }),
    })),
    looked,
    leftOut,
    ...(paused !== null && { paused }),
  };
}
