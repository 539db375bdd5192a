import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/order.ts';

/** What runs programs as they are started, and needs a broker. */
const PROGRAMS = ['test/e2e/**/*.test.ts', 'test/faults/quick.test.ts'];
/** What needs a broker. */
const WITH_KAFKA = [
  'test/{broker,kafka,properties/kafka}/**/*.test.ts',
  'test/protocol-document/{connected,delivery,outside,windows}.test.ts',
];
const globalSetup = ['test/broker/global-setup.ts'];
/** What looks at the memory of its own process. */
const ALONE = ['test/server/idle-collection.test.ts'];

// What a process has compiled the next ones read: workers, frontends and commands start with half of the work.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/node', import.meta.url));

export default defineConfig({
  test: {
    reporters: ['default', './test/skipped.ts'],
    setupFiles: ['test/hooks.ts'],
    sequence: { sequencer: LongestFirst },
    // Two cores' worth: tests of programs wait as much as they work.
    maxWorkers: 4,
    // Generous: only a failing test waits that long, or one on a machine with much other work.
    testTimeout: 180_000,
    hookTimeout: 300_000,
    // kafkajs computes time-outs that Node 24 finds negative; harmless.
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
    projects: [
      // Files share their worker's modules: a process and its imports are most of what many a file costs.
      { extends: true, test: { name: 'programs', include: PROGRAMS, globalSetup, isolate: false } },
      { extends: true, test: { name: 'kafka', include: WITH_KAFKA, globalSetup, isolate: false } },
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: [...PROGRAMS, ...WITH_KAFKA, ...ALONE],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE } },
    ],
  },
});
