import type { Reporter, TestModule } from 'vitest/node';

/** Says at the end of a run what was skipped and why, a line for each file and reason: the reason ends the tests' names. */
export default class Skipped implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, number>();
    for (const { children, project, relativeModuleId } of modules) {
      // Whoever names tests to run knows that the others are not.
      if (project.config.testNamePattern !== undefined) return;
      for (const { fullName } of children.allTests('skipped')) {
        const reason = /\(([^()]*)\)$/.exec(fullName)?.[1] ?? /\(([^()]*)\)/.exec(fullName)?.[1] ?? fullName;
        const line = `${relativeModuleId}: ${reason}`;
        counts.set(line, (counts.get(line) ?? 0) + 1);
      }
    }
    if (counts.size === 0) return;
    console.log('Skipped:');
    for (const [line, count] of counts) console.log(`  ${line}${count > 1 ? ` (${count} tests)` : ''}`);
  }
}
