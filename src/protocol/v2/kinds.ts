/* What the tables of requests and of server frames (requests.ts, replies.ts) have in common. */
import type { Immutable } from './fields.ts';
import type { Infer, Schema } from './schema.ts';

/**
 * One kind of frame. The low nibble of an opcode says who speaks: 0 or 4 = request, 1 or 5 = reply, 2 or 6 = push by the server.
 * The one exception is 0x22, the failure reply to any request.
 */
export interface Kind {
  readonly opcode: number;
  /** The payload's map. None of its fields is called `type`. */
  readonly payload: Schema<object>;
}

export type Kinds = Readonly<Record<string, Kind>>;

/** The values of a table's frames, by their type. */
export type FrameValues<Table extends Kinds> = {
  readonly [Type in keyof Table]: Table[Type] extends { readonly payload: infer Payload }
    ? Tagged<Type, Immutable<Infer<Payload>>>
    : never;
};

/** Each member of a union by itself. */
type Tagged<Type, Payload> = Payload extends object ? { readonly type: Type } & Payload : never;

/** Opcodes by type. */
export function opcodesOf<Table extends Kinds>(table: Table): Readonly<Record<keyof Table, number>> {
  const pairs = Object.entries(table).map(([type, { opcode }]) => [type, opcode] as const);
  return Object.fromEntries(pairs) as Record<keyof Table, number>;
}

/** Types by opcode. */
export function typesOf<Table extends Kinds>(table: Table): ReadonlyMap<number, keyof Table & string> {
  return new Map(Object.entries(table).map(([type, { opcode }]) => [opcode, type]));
}
