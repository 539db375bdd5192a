/*
 * hello {client} → welcome {limits, time}: who is there, and what goes. In any state, as often as one likes. Never
 * fails.
 */

import type { Services } from './context.ts';
import type { Welcome } from './requests.ts';

export async function hello(services: Pick<Services, 'limits'>): Promise<Welcome> {
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
