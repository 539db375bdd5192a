import { afterEach } from 'vitest';
import { actAfterTest } from './after-each.ts';

// Evaluated for each file of tests anew.
afterEach(actAfterTest);
