import { type CelInput, celList, celMap } from '@bufbuild/cel';
import type { Json } from './record-fields.ts';

/**
 * A JSON value as expressions see it. Objects are looked into when somebody asks for what is in them: of most records only a field or
 * two. Left to the library one with a field `constructor` would be none.
 */
export function celOf(json: Json): CelInput {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return celList(json.map(celOf));
  return celMap(new JsonObject(json));
}

/** A JSON object as a map of its own fields. */
class JsonObject implements ReadonlyMap<string, CelInput> {
  readonly #json: { readonly [name: string]: Json };

  constructor(json: { readonly [name: string]: Json }) {
    this.#json = json;
  }

  get size(): number {
    return Object.keys(this.#json).length;
  }

  get(name: string): CelInput | undefined {
    const value = Object.hasOwn(this.#json, name) ? this.#json[name] : undefined;
    return value === undefined ? undefined : celOf(value);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#json, name);
  }

  keys(): MapIterator<string> {
    return Object.keys(this.#json).values();
  }

  *values(): MapIterator<CelInput> {
    for (const value of Object.values(this.#json)) yield celOf(value);
  }

  *entries(): MapIterator<[string, CelInput]> {
    for (const [name, value] of Object.entries(this.#json)) yield [name, celOf(value)];
  }

  forEach(visit: (value: CelInput, name: string, map: ReadonlyMap<string, CelInput>) => void): void {
    for (const [name, value] of this) visit(value, name, this);
  }

  [Symbol.iterator](): MapIterator<[string, CelInput]> {
    return this.entries();
  }
}
