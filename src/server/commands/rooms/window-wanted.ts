/* What owners say of a room that is a window on a topic. */
import type { TopicWindow } from '../../../core/windows.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { RequestFor } from '../command.ts';

/** What a new room is a window on; undefined where it is none. @throws ProtocolError `BAD_REQUEST` */
export function windowWanted({
  topic,
  where,
  as,
  retentionMs,
  history,
}: RequestFor<'room-create'>): TopicWindow | undefined {
  demandFitting(topic !== undefined, { where, as, retentionMs, history });
  if (topic === undefined) return undefined;
  return windowOn(topic, { where, as });
}

/** Empty expressions are none. */
export function windowOn(
  topic: string,
  { where, as }: Pick<RequestFor<'room-set'>, 'where' | 'as'>,
): TopicWindow {
  return { topic, where: where || null, as: as || null };
}

/** The same of a room that there is: what is absent stays, what is empty is none from now on. @throws ProtocolError `BAD_REQUEST` */
export function windowChanged(
  window: TopicWindow | undefined,
  { where, as, retentionMs, history }: RequestFor<'room-set'>,
): TopicWindow | undefined {
  demandFitting(window !== undefined, { where, as, retentionMs, history });
  if (window === undefined || (where === undefined && as === undefined)) return undefined;
  return {
    topic: window.topic,
    where: where === undefined ? window.where : where || null,
    as: as === undefined ? window.as : as || null,
  };
}

/** @throws ProtocolError `BAD_REQUEST` for what means nothing to such a room */
function demandFitting(
  isWindow: boolean,
  {
    where,
    as,
    retentionMs,
    history,
  }: Pick<RequestFor<'room-set'>, 'where' | 'as' | 'retentionMs' | 'history'>,
): void {
  if (!isWindow && (where !== undefined || as !== undefined))
    throw new ProtocolError('BAD_REQUEST', 'A filter and a template are for a room that shows a topic.');
  if (isWindow && (retentionMs !== undefined || history !== undefined))
    throw new ProtocolError('BAD_REQUEST', 'A room that shows a topic keeps nothing itself.');
}
