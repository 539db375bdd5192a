/* What the doctor says of this machine, without a server. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkEnvFile, checkNode } from '../../../src/terminal/cli/doctor/here.ts';

test.each<[string, number, boolean]>([
  ['MILENA_PORT=8080\nMILENA_KAFKA_SASL_PASSWORD=secret\n', 0o644, true],
  ['export MILENA_CLUSTER_KEYS="k1:secret"\n', 0o604, true],
  ['MILENA_PASSWORD=secret\n', 0o640, false],
  ['MILENA_PORT=8080\n#MILENA_PASSWORD=secret\nMILENA_KAFKA_SASL_PASSWORD=\nMILENA_HOST=::1\n', 0o644, false],
])('.env with %j and mode %o is warned of: %s', (text, mode, isWarned) => {
  const folder = mkdtempSync(join(tmpdir(), 'milena-doctor-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, '.env');
  writeFileSync(file, text);
  chmodSync(file, mode);
  const check = checkEnvFile(file);
  expect(check).toEqual(
    isWarned ? expect.objectContaining({ state: 'hint', next: `chmod 600 ${file}` }) : null,
  );
  expect(checkEnvFile(join(folder, 'missing'))).toBeNull();
});

test('whose Node it is', () => {
  expect(checkNode('24.1.0', '/opt/milena/node_modules/node/bin/node').text).toBe(
    'Node 24.1.0, brought along',
  );
  expect(checkNode('24.1.0', '/usr/bin/node').text).toBe('Node 24.1.0');
});
