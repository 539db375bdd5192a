import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What a process has used so far. */
export interface Usage {
  /** User and system time, seconds. */
  readonly cpuSeconds: number;
  /** Resident memory, MiB. */
  readonly memoryMiB: number;
  /** Wall clock, seconds, for differences. */
  readonly at: number;
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Reads /proc, so Linux only. @throws when there is no such process */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command's name, in parentheses, may hold spaces: count the fields after it (proc(5): utime is the 14th).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rss = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    memoryMiB: rss / 1024,
    at: performance.now() / 1000,
  };
}

/** Per cent of one core between two readings. */
export function cpuPercent(before: Usage, after: Usage): number {
  return (100 * (after.cpuSeconds - before.cpuSeconds)) / (after.at - before.at);
}
