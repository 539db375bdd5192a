/*
 * hello {client} → welcome {limits, time}: who is there, and what goes. In any state, as often as one likes. Never
 * fails.
 */

import type { ServerLimits } from '../../protocol/v2/replies.ts';
import type { Services } from './context.ts';

export interface HelloResult {
  readonly type: 'welcome';
  readonly limits: Omit<ServerLimits, 'bodyBytes'>;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

export async function hello(services: Pick<Services, 'limits'>): Promise<HelloResult> {
  const { payload, payloadBeforeLogin, window, pingAfterMs, closeAfterMs } = services.limits;
  return {
    type: 'welcome',
    limits: {
      payloadBytes: payload,
      payloadBytesBeforeLogin: payloadBeforeLogin,
      window,
      pingAfterMs,
      closeAfterMs,
    },
    time: Date.now(),
  };
}
