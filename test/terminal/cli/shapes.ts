import { z } from 'zod';

/* The objects that `--json` prints, as docs/commands.md has them. */

const time = z.iso.datetime().nullable();
const hexId = z.string().regex(/^[0-9a-f]{32}$/);

export const messageShape = z.strictObject({
  type: z.literal('message'),
  to: z.string(),
  room: z.string().nullable(),
  from: z.string().nullable(),
  external: z.string().nullable(),
  id: hexId.nullable(),
  inbox: hexId,
  seq: z.int(),
  at: time,
  contentType: z.string().nullable(),
  body: z.string(),
  partition: z.int().optional(),
  offset: z.int().optional(),
  note: z.string().nullable().optional(),
});

export const sentShape = z.strictObject({
  type: z.literal('sent'),
  id: hexId,
  to: z.string(),
  state: z.enum(['stored', 'delivered', 'undeliverable', 'refused', 'waiting', 'unsure']),
  acceptedAt: time,
  recipientLoggedIn: z.boolean().nullable(),
  kept: z.boolean(),
  reason: z.string().nullable(),
});

export const accountShape = z.strictObject({ type: z.literal('account'), name: z.string() });

export const statusShape = z.strictObject({
  type: z.literal('status'),
  name: z.string(),
  state: z.enum(['logged-in', 'away', 'no-such-user']),
});

export const roomShape = z.strictObject({
  type: z.literal('room'),
  room: z.string(),
  incarnation: hexId,
  policy: z.enum(['open', 'invited']),
  description: z.string(),
  retentionMs: z.int(),
  history: z.int(),
  members: z.int(),
  owner: z.string().nullable(),
  role: z.enum(['owner', 'member', 'invited']).nullable(),
  since: z.int().nullable(),
  topic: z.string().nullable(),
  where: z.string().nullable(),
  as: z.string().nullable(),
});

export const roomDoneShape = z.strictObject({
  type: z.literal('room-done'),
  action: z.enum(['leave', 'invite', 'kick', 'delete']),
  room: z.string(),
  name: z.string().nullable(),
});

export const memberShape = z.strictObject({ type: z.literal('member'), room: z.string(), name: z.string() });

export const holdersShape = z.strictObject({
  type: z.literal('holders'),
  room: z.string(),
  seq: z.int(),
  members: z.int(),
  having: z.int(),
  missing: z.array(z.string()),
});

export const previewShape = z.strictObject({
  type: z.enum(['record', 'summary']),
  topic: z.string().optional(),
  partition: z.int().optional(),
  offset: z.int().optional(),
  at: time.optional(),
  text: z.string().optional(),
  note: z.string().nullable().optional(),
  looked: z.int().optional(),
  shown: z.int().optional(),
  leftOut: z.int().optional(),
  paused: z.string().nullable().optional(),
});

export const rawShape = z.strictObject({
  type: z.literal('raw'),
  room: z.string(),
  partition: z.int(),
  offset: z.int(),
  at: time,
  key: z.string().nullable(),
  value: z.string().nullable(),
  keyBytes: z.int(),
  valueBytes: z.int(),
  headers: z.array(z.strictObject({ name: z.string(), value: z.string() })),
});

export const storedShape = z.strictObject({
  id: z.int(),
  at: time,
  direction: z.enum(['in', 'out']),
  from: z.string().nullable(),
  to: z.string(),
  external: z.string().nullable(),
  body: z.string(),
  fate: z
    .enum(['on-its-way', 'waiting', 'stored', 'delivered', 'undeliverable', 'refused', 'unsure'])
    .nullable(),
  reason: z.string().optional(),
});

export const checkShape = z.strictObject({
  type: z.literal('check'),
  name: z.string(),
  state: z.enum(['ok', 'hint', 'failed']),
  text: z.string(),
  next: z.string().nullable(),
});

export const failedShape = z.strictObject({
  type: z.literal('failed'),
  code: z.int(),
  reason: z.string(),
});

/** Each command's shape. */
export const SHAPES = {
  'listen`, `retrieve': messageShape,
  send: sentShape,
  list: accountShape,
  status: statusShape,
  'room list`, `room create`, `room set`, `room join`, `room owner': roomShape,
  'room leave`, `room invite`, `room kick`, `room delete': roomDoneShape,
  'room members': memberShape,
  'room holders': holdersShape,
  'room create --preview': previewShape,
  'room raw': rawShape,
  'search`, `export': storedShape,
  doctor: checkShape,
  'all but `send`, `doctor': failedShape,
} as const;

/** The objects of an output, one a line, checked. @throws ZodError */
export function shaped<Shape extends z.ZodType>(shape: Shape, stdout: string): z.output<Shape>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => shape.parse(JSON.parse(line)));
}
