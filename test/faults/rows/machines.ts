/** Machines whose clock jumps, or whose disk is full. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from '../row.ts';

/** Why no small disk can be had here; undefined if it can. */
function whyNoDisk(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may mount a small file system';
  const folder = mkdtempSync(join(tmpdir(), 'milena-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'pipe' });
    execFileSync('umount', [folder], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `a small file system cannot be mounted: ${error}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const MACHINES: readonly Row[] = [
  {
    name: 'clocks that jump',
    world: 'one',
    fault: 'the wall clock of one frontend an hour ahead, then two hours back, then right again',
    seen: 'nobody is thrown out',
    async act(stage) {
      for (let i = 0; i < 3; i++) {
        stage.fault('jump');
        stage.world.frontend(0).signal('SIGUSR2');
        await stage.pause(3_000);
      }
    },
    see: ({ history }) =>
      history.filter(({ kind }) => kind === 'cut').length === 0 ? [] : ['a connection was lost'],
  },
  {
    name: 'Kafka’s disk full',
    world: 'small',
    fault: 'the file system of its log filled to the end, then room again and the broker started again',
    seen: 'sends wait or are refused, and go on by themselves',
    why: whyNoDisk,
    async act(stage) {
      const broker = stage.world.node(0);
      const filler = join(broker.folder, 'data/filler');
      stage.fault('full');
      try {
        writeFileSync(filler, Buffer.alloc(256 * 1024 * 1024));
      } catch {
        // As full as it gets.
      }
      await stage.pause(6_000);
      rmSync(filler, { force: true });
      await broker.kill();
      await broker.start();
      stage.mended('full');
      await stage.pause(5_000);
    },
  },
];
