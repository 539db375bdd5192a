import { createHash } from 'node:crypto';
import { uuidText } from '../src/util/uuid.ts';

/** 16 bytes that are the same for the same words. */
export function idOf(words: string): Uint8Array {
  return createHash('md5').update(words).digest();
}

/** The same as text. */
export function uuidOf(words: string): string {
  return uuidText(idOf(words));
}
