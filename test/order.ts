import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BaseSequencer, type Reporter, type TestModule, type TestSpecification } from 'vitest/node';

/** How long the files took in the run that is kept, in seconds beside others on two cores. The rest begin by their size. */
const KEPT = fileURLToPath(new URL('seconds.json', import.meta.url));
const SECONDS: Readonly<Record<string, number>> = existsSync(KEPT)
  ? JSON.parse(readFileSync(KEPT, 'utf8'))
  : {};
/** What is shorter keeps no core waiting. */
const LEAST_SECONDS = 3;

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

/** Keeps how long each file of a run took, beside what is kept of others: `npm test -- --reporter=./test/order.ts`. */
export default class KeepSeconds implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const took = modules.map(
      (module) => [module.relativeModuleId, module.diagnostic().duration / 1_000] as const,
    );
    const seconds = Object.entries({ ...SECONDS, ...Object.fromEntries(took) })
      .map(([file, each]) => [file, Math.round(each)] as const)
      .filter(([, each]) => each >= LEAST_SECONDS)
      .sort(([, a], [, b]) => b - a);
    writeFileSync(KEPT, `${JSON.stringify(Object.fromEntries(seconds), null, 2)}\n`);
  }
}
