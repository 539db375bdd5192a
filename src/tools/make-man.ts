/** What `npm run docs:man` runs: writes the manual page. */
import { writeFileSync } from 'node:fs';
import { manPage } from './man-page.ts';

writeFileSync(new URL('../../docs/milena.1', import.meta.url), manPage());
console.log('docs/milena.1 is made:  man -l docs/milena.1');
