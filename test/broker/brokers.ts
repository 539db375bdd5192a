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
