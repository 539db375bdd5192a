/*
 * raw {room, partition, offset} → raw-told {topic, record}: a record of the topic that a room shows, as it lies there, cut where it is
 * long; absent where none does.
 * Failures: NO_SUCH_ROOM, NOT_A_MEMBER, BAD_REQUEST (the room shows no topic), TOPIC_NOT_ALLOWED, UNAVAILABLE.
 */
import { recordTime, type TopicRecord } from '../../../core/windows.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { ServerFrameOf } from '../../../protocol/v2/replies.ts';
import type { RequestFor } from '../command.ts';
import type { Caller, Principal, Services } from '../context.ts';
import { askedMember } from './asked.ts';

/** @throws ProtocolError, EngineError */
export async function raw(
  services: Services,
  { principal }: Caller<Principal>,
  { room: name, partition, offset }: RequestFor<'raw'>,
): Promise<ServerFrameOf<'raw-told'>> {
  const { room, person } = await askedMember(services, principal, name);
  const { window } = room;
  if (window === undefined) throw new ProtocolError('BAD_REQUEST', `${name} shows no topic.`);
  const record = await services.topicLooks.pass(person.name, () =>
    services.rooms.windows.record(window, { partition, offset }),
  );
  return { type: 'raw-told', topic: window.topic, ...(record !== null && { record: told(record) }) };
}

function told({ timestamp, key, value, keyBytes, valueBytes, headers }: TopicRecord) {
  return {
    time: recordTime(timestamp),
    headers: [...headers],
    ...(key !== null && { key }),
    ...(value !== null && { value }),
    ...(key !== null && key.length < keyBytes && { keyBytes }),
    ...(value !== null && value.length < valueBytes && { valueBytes }),
  };
}
