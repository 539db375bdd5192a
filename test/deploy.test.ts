/** The files of deploy/ name what is there, and say what the scripts do. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SETTINGS } from '../src/config/setting-table.ts';
import { ROOT } from './e2e/script.ts';

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const unit = read('deploy/milena-frontend.service');
const setting = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? '';
const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const here = (path: string) => path.replaceAll('/opt/milena', ROOT.replace(/\/$/, ''));

describe('milena-frontend.service', () => {
  it('starts what is there, with the flags of start_frontend.sh', () => {
    const [node = '', ...args] = setting('ExecStart').split(' ');
    const flags = /^FRONTEND_NODE_FLAGS=\((.*)\)$/m.exec(read('start_frontend.sh'))?.[1]?.split(' ');
    expect(args.slice(0, -1)).toEqual(flags);
    expect(existsSync(here(node))).toBe(true);
    // dist/ is made from src/.
    expect(args.at(-1)).toBe('/opt/milena/dist/bin/frontend.js');
    expect(existsSync(join(ROOT, 'src/bin/frontend.ts'))).toBe(true);
    const version = execFileSync(here(node), [...args.slice(0, -1), '--version'], { encoding: 'utf8' });
    expect(version).toMatch(/^v\d+/);
  });

  it('names only settings that a frontend has', () => {
    const names = [...unit.matchAll(/^Environment=(\w+)=/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(0);
    // malloc's own is read by the C library.
    for (const name of names) expect([...SETTINGS, 'MALLOC_ARENA_MAX']).toContain(name);
  });

  it('never gives up waiting for Kafka, and does not wait for settings to change by themselves', () => {
    expect(setting('StartLimitIntervalSec')).toBe('0');
    expect(setting('Restart')).toBe('on-failure');
    expect(Number(setting('RestartSec'))).toBeGreaterThanOrEqual(5);
    expect(setting('RestartPreventExitStatus').split(' ')).toEqual(['64', '78']);
  });

  it('gives a frontend longer to end than it takes', () => {
    const drainMs = Number(/drainMs: ([\d_]+)/.exec(read('src/server/limits.ts'))?.[1]?.replaceAll('_', ''));
    expect(drainMs).toBeGreaterThan(0);
    expect(Number(setting('TimeoutStopSec')) * 1000).toBeGreaterThan(drainMs);
  });

  it.skipIf(!has('systemd-analyze'))('is understood by systemd (needs systemd-analyze)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'milena-unit-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'milena-frontend.service');
    // A path with blanks would need quotes: the checkout's program is stood in for.
    const program = join(folder, 'node');
    writeFileSync(program, '');
    chmodSync(program, 0o755);
    writeFileSync(file, unit.replace('/opt/milena/node_modules/.bin/node', program));
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
    expect(stderr.split('\n').filter((line) => line.includes('milena'))).toEqual([]);
    expect(status).toBe(0);
  });
});

describe('milena.logrotate', () => {
  const text = read('deploy/milena.logrotate');

  it('is for the files that start_frontend.sh writes', () => {
    expect(read('start_frontend.sh')).toContain('log=$STATE/logs/frontend-$MILENA_PORT.log');
    expect(text).toMatch(/^\/opt\/milena\/\.milena\/logs\/frontend-\*\.log \{$/m);
  });

  it.skipIf(!has('logrotate'))('cuts a log that is open, and keeps what was in it (needs logrotate)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'milena-logs-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const log = join(folder, 'frontend-8080.log');
    writeFileSync(log, 'a line\n');
    const config = join(folder, 'config');
    const own = text.replace('/opt/milena/.milena/logs', folder).replace(/^ *su .*\n/m, '');
    writeFileSync(config, own);
    cpSync(log, `${log}.before`);
    execFileSync('logrotate', ['--force', '--state', join(folder, 'state'), config]);
    expect(readFileSync(log, 'utf8')).toBe('');
    expect(readFileSync(`${log}.1`, 'utf8')).toBe('a line\n');
  });
});
