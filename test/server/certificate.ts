import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);

/** A folder for certificates, gone when the test is over. */
export async function certificateFolder(): Promise<{ certFile: string; keyFile: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'milena-tls-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') };
}

/** Makes a certificate for localhost that signs itself, with this name in it, in place of any other. */
export async function makeCertificate(
  files: { certFile: string; keyFile: string },
  name: string,
): Promise<void> {
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ...['-keyout', files.keyFile, '-out', files.certFile],
  ]);
}
