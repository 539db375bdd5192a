/** What `npm ci` brings: by hashes of the lock file alone, with no program of a package run on the way. */
import { readFileSync, realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './e2e/script.ts';

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly os?: string;
  readonly cpu?: string;
  readonly bin?: Readonly<Record<string, string>>;
}

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const packages: Readonly<Record<string, Locked>> = JSON.parse(read('package-lock.json')).packages;
const installed = Object.entries(packages).filter(([path]) => path !== '');

describe('the packages', () => {
  it('have a hash in the lock file, each of them', () => {
    expect(installed.length).toBeGreaterThan(100);
    const without = installed.filter(([, { integrity }]) => !/^sha512-.{86}==$/.test(integrity ?? ''));
    expect(without.map(([path]) => path)).toEqual([]);
  });

  it('run no program while they are installed', () => {
    expect(read('.npmrc').split('\n')).toContain('ignore-scripts=true');
  });

  it('bring Node as it is: a package for each kind of machine, none that would fetch it', () => {
    const bringers = installed.filter(([, { bin }]) => bin?.node !== undefined);
    expect(bringers.map(([, { os, cpu }]) => `${os} ${cpu}`).sort()).toEqual([
      'darwin arm64',
      'darwin x64',
      'linux arm64',
      'linux x64',
    ]);
    for (const [path, { version, hasInstallScript }] of bringers) {
      expect(hasInstallScript, path).toBeUndefined();
      // crypto.argon2 came with 24.7.
      const [major = 0, minor = 0] = version.split('.').map(Number);
      expect(major > 24 || (major === 24 && minor >= 7), `${path} ${version}`).toBe(true);
    }
    const running = relative(ROOT, realpathSync(join(ROOT, 'node_modules/.bin/node')));
    expect(bringers.map(([path]) => `${path}/bin/node`)).toContain(running);
  });
});
