import type { Reporter, TestModule } from 'vitest/node';

/** Says at the end of a run which tests were skipped: the reason stands in their names. */
export default class Skipped implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')]);
    if (skipped.length === 0) return;
    console.log('Skipped:');
    for (const { fullName, module } of skipped) console.log(`  ${module.relativeModuleId}: ${fullName}`);
  }
}
