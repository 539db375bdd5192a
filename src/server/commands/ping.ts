/* ping → pong {time}: a sign of life, which waits for nothing but the replies before it. */
import type { ServerFrameOf } from '../../protocol/v2/replies.ts';

export function ping(): ServerFrameOf<'pong'> {
  return { type: 'pong', time: Date.now() };
}
