/**
 * The operations, the same in every version. The low nibble says who speaks: 0 = request, 1 = success reply,
 * 2 = push by the server. The one exception is 0x22, the failure reply to any request.
 */
export const OPCODE = {
  CREATE: 0x10,
  CREATED: 0x11,
  LOGIN: 0x20,
  LOGGED_IN: 0x21,
  FAILURE: 0x22,
  LOGOUT: 0x30,
  DELETE: 0x40,
  LIST: 0x50,
  LISTED: 0x51,
  RETRIEVE: 0x60,
  RETRIEVED: 0x61,
  SEND: 0x70,
  SENT: 0x71,
  MESSAGE: 0x72,
} as const;

export type Opcode = (typeof OPCODE)[keyof typeof OPCODE];

/** An opcode as the protocol's tables write it: `0x07`. */
export function opcodeText(opcode: number): string {
  return `0x${opcode.toString(16).padStart(2, '0')}`;
}
