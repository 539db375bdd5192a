/*
 * hello {client, features} → welcome {features, limits, time}: who is there, and what goes. In any state, as often as one likes:
 * the last one says what the client can, of which a login takes note. Never fails.
 */

import { type Feature, featuresOf } from '../../protocol/v2/features.ts';
import type { ServerLimits } from '../../protocol/v2/replies.ts';
import type { RequestFor } from './command.ts';
import type { Caller, Services } from './context.ts';

export interface HelloResult {
  readonly type: 'welcome';
  /** Those of the client's that the server has, too. */
  readonly features: readonly Feature[];
  readonly limits: Omit<ServerLimits, 'bodyBytes'>;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

export async function hello(
  services: Pick<Services, 'limits'>,
  caller: Pick<Caller, 'announce'>,
  request: RequestFor<'hello'>,
): Promise<HelloResult> {
  const features = featuresOf(request.features);
  caller.announce(features);
  const { payload, payloadBeforeLogin, window, pingAfterMs, closeAfterMs } = services.limits;
  return {
    type: 'welcome',
    features,
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
