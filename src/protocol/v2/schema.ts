/*
 * Schemas of payloads, as small as payloads need them: loading zod takes a command of the client more time than all else that
 * it does, and both sides read by the same.
 */

/** What is wrong with a value, for the person who writes a client. Nothing in it comes from the other end. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch';

  /** @param field by the names of our schemas, from the payload inwards; empty: the payload itself */
  constructor(field: string, expected: string) {
    super(field === '' ? expected : `${field}: ${expected}`);
  }
}

/**
 * Gives a value back as it is meant.
 * @param field where it stands
 * @throws Mismatch; what a `transformed` throws
 */
export type Schema<Value> = (value: unknown, field: string) => Value;

/** A field that may be absent, which undefined means as well. */
export interface Optional<Value> {
  readonly schema: Schema<Value>;
}

type Fields = Readonly<Record<string, Schema<unknown> | Optional<unknown>>>;

type RequiredKey<All extends Fields> = {
  [Key in keyof All]: All[Key] extends Schema<unknown> ? Key : never;
}[keyof All];

type Flat<Value> = { [Key in keyof Value]: Value[Key] };

type ValueOf<Field> = Field extends Schema<infer Value> | Optional<infer Value> ? Value : never;

type Fieldwise<All extends Fields> = Flat<
  { [Key in RequiredKey<All>]: ValueOf<All[Key]> } & {
    [Key in Exclude<keyof All, RequiredKey<All>>]?: ValueOf<All[Key]> | undefined;
  }
>;

/** What a schema gives. */
export type Infer<From> = From extends Schema<infer Value> ? Value : never;

export function optional<Value>(schema: Schema<Value>): Optional<Value> {
  return { schema };
}

/** A map with these fields; others, of a later version, are left out. */
export function object<const All extends Fields>(fields: All): Schema<Fieldwise<All>> {
  const entries = Object.entries(fields);
  return (value, field) => {
    if (!isMap(value)) throw new Mismatch(field, 'expected a map');
    const read: Record<string, unknown> = {};
    for (const [key, entry] of entries) {
      const given = Object.hasOwn(value, key) ? value[key] : undefined;
      if (typeof entry === 'function') read[key] = entry(given, within(field, key));
      else if (given !== undefined) read[key] = entry.schema(given, within(field, key));
    }
    return read as Fieldwise<All>;
  };
}

/** One of several maps, by the text or boolean that stands in their field `tag`. */
export function tagged<const All extends Readonly<Record<string, Schema<unknown>>>>(
  tag: string,
  kinds: All,
): Schema<Infer<All[keyof All]>> {
  return (value, field) => {
    if (!isMap(value)) throw new Mismatch(field, 'expected a map');
    const kind = value[tag];
    // Nothing else is made a text: a map may have a `toString` of its own.
    const key = typeof kind === 'string' || typeof kind === 'boolean' ? String(kind) : '';
    const schema = Object.hasOwn(kinds, key) ? kinds[key] : undefined;
    if (schema === undefined) throw new Mismatch(within(field, tag), `expected ${anyOf(Object.keys(kinds))}`);
    return schema(value, field) as Infer<All[keyof All]>;
  };
}

export function literal<const Value extends string | boolean>(wanted: Value): Schema<Value> {
  return check((value) => value === wanted, `expected ${JSON.stringify(wanted)}`);
}

export function oneOf<const Value extends string>(values: readonly Value[]): Schema<Value> {
  return check((value) => values.some((known) => known === value), `expected ${anyOf(values)}`);
}

export const boolean: Schema<boolean> = check((value) => typeof value === 'boolean', 'expected a boolean');
export const string: Schema<string> = check((value) => typeof value === 'string', 'expected a text');

/** `min` to `max` items. */
export function array<Item>(item: Schema<Item>, min: number, max: number): Schema<Item[]> {
  const expected = Number.isFinite(max) ? `expected a list of ${min} to ${max}` : 'expected a list';
  return (value, field) => {
    if (!Array.isArray(value) || value.length < min || value.length > max)
      throw new Mismatch(field, expected);
    return value.map((one, index) => item(one, within(field, String(index))));
  };
}

/** A value as it is, if `isRight`. */
export function check<Value>(isRight: (value: unknown) => boolean, expected: string): Schema<Value> {
  return (value, field) => {
    if (!isRight(value)) throw new Mismatch(field, expected);
    return value as Value;
  };
}

/** What `schema` gives, if `isRight` as well. */
export function refined<Value>(
  schema: Schema<Value>,
  isRight: (value: Value) => boolean,
  expected: string,
): Schema<Value> {
  return (value, field) => {
    const read = schema(value, field);
    if (!isRight(read)) throw new Mismatch(field, expected);
    return read;
  };
}

/** What `to` makes of what `schema` gives. */
export function transformed<From, To>(schema: Schema<From>, to: (value: From) => To): Schema<To> {
  return (value, field) => to(schema(value, field));
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function within(field: string, key: string): string {
  return field === '' ? key : `${field}.${key}`;
}

function anyOf(values: readonly string[]): string {
  return `one of ${values.map((value) => JSON.stringify(value)).join(', ')}`;
}
