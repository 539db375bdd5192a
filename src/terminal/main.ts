#!/usr/bin/env node
/* Where the process begins: what must be first, and all the rest from the compile cache. */
// First: whatever is typed from now on is seen by nobody.
import './hold-terminal.ts';
import { keepCompiled } from './compile-cache.ts';

keepCompiled(process.env);
const { main } = await import('./program.ts');
process.exit(await main(process.argv.slice(2)));
