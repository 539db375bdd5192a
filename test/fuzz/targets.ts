import type { Target } from './fuzzing.ts';

/** Everything that is fuzzed, by its name. */
export const TARGETS: Readonly<Record<string, () => Promise<Target>>> = {
  version1: async () => (await import('./version1.ts')).version1,
  version2: async () => (await import('./version2.ts')).version2,
  records: async () => (await import('./records.ts')).records,
  'command-lines': async () => (await import('./command-lines.ts')).commandLines,
  'terminal-input': async () => (await import('./terminal-input.ts')).terminalInput,
};
