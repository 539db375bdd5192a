import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** MiB of memory that a process, or one that it has started, had at most. Only Linux tells: elsewhere 0, and no test fails by it. */
export function peakOf(pid: number): number {
  if (!existsSync('/proc')) return 0;
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && statusOf(Number(name), /PPid:\s*(\d+)/) === pid)
    .map((name) => peakOf(Number(name)));
  return Math.max(statusOf(pid, /VmHWM:\s*(\d+) kB/) / 1024, ...children);
}

/** 0 for a process that is gone, or has no such line. */
function statusOf(pid: number, line: RegExp): number {
  try {
    return Number(line.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
