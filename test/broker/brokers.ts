import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Bootstrap addresses of the broker that the whole test run shares, `host:port` joined by commas. */
    brokers: string;
  }
}

/** Bootstrap addresses of the broker that the whole test run shares. Use names of your own for topics and users. */
export function testBrokers(): string[] {
  return inject('brokers').split(',');
}

/** The key of all frontends over that broker, as MILENA_CLUSTER_KEYS. */
export const TEST_KEYS = `test:${Buffer.alloc(32, 7).toString('base64url')}`;
