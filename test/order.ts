import { statSync } from 'node:fs';
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, in seconds beside others on two busy cores. The rest begin by their size. */
const SECONDS: Readonly<Record<string, number>> = {
  'test/e2e/mismatches.test.ts': 130,
  'test/e2e/late-turns.test.ts': 130,
  'test/e2e/script-interrupts.test.ts': 94,
  'test/e2e/rights.test.ts': 78,
  'test/e2e/producers.test.ts': 77,
  'test/e2e/servers.test.ts': 75,
  'test/e2e/repair.test.ts': 74,
  'test/e2e/bombs.test.ts': 73,
  'test/e2e/cluster.test.ts': 69,
  'test/e2e/commands.test.ts': 66,
  'test/e2e/state-folders.test.ts': 60,
  'test/e2e/flood.test.ts': 60,
  'test/e2e/races.test.ts': 60,
  'test/e2e/tools.test.ts': 50,
  'test/e2e/client.test.ts': 44,
  'test/e2e/hostile-floods.test.ts': 43,
  'test/kafka/contracts.test.ts': 42,
  'test/e2e/frontend-start.test.ts': 40,
  'test/e2e/script-safety.test.ts': 40,
  'test/e2e/frontend.test.ts': 40,
  'test/e2e/chosen.test.ts': 37,
  'test/e2e/lifecycle.test.ts': 34,
  'test/e2e/links.test.ts': 33,
  'test/e2e/endings.test.ts': 30,
  'test/e2e/senders.test.ts': 30,
  'test/e2e/kept-login.test.ts': 27,
  'test/e2e/kafka-kinds.test.ts': 26,
  'test/e2e/random-operations.test.ts': 24,
  'test/e2e/plain.test.ts': 24,
  'test/e2e/strangers.test.ts': 24,
  'test/e2e/screens.test.ts': 22,
};

/** Files with a broker first, the longest of them at the very beginning: no core waits at the end for a single one. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const weigh = (file: TestSpecification): [project: string, seconds: number, bytes: number] => [
      file.project.name,
      SECONDS[relative(file.project.config.root, file.moduleId)] ?? 0,
      statSync(file.moduleId).size,
    ];
    const weights = new Map(files.map((file) => [file, weigh(file)]));
    return [...files].sort((a, b) => {
      const [projectA, secondsA, bytesA] = weights.get(a) ?? ['', 0, 0];
      const [projectB, secondsB, bytesB] = weights.get(b) ?? ['', 0, 0];
      return projectA.localeCompare(projectB) || secondsB - secondsA || bytesB - bytesA;
    });
  }
}
