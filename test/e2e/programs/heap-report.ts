/* Loaded into a client by a test: when it gets SIGUSR2 it collects its garbage and writes how many bytes of its heap are used. */
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');
const file = process.env.MILENA_TEST_HEAP_FILE;

if (typeof collect === 'function' && file !== undefined) {
  process.on('SIGUSR2', () => {
    collect();
    writeFileSync(`${file}.new`, `${process.memoryUsage().heapUsed}`);
    renameSync(`${file}.new`, file);
  });
}
