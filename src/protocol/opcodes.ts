/**
 * The operations, with one number in every version that knows them. The low nibble says who speaks: 0 = request,
 * 1 = success reply, 2 = push by the server. The one exception is 0x22, the failure reply to any request.
 */
export const OPCODE = {
  CREATE: 0x10,
  CREATED: 0x11,
  LOGIN: 0x20,
  LOGGED_IN: 0x21,
  FAILURE: 0x22,
  LOGOUT: 0x30,
  LOGGED_OUT: 0x31,
  DELETE: 0x40,
  DELETED: 0x41,
  LIST: 0x50,
  LISTED: 0x51,
  RETRIEVE: 0x60,
  RETRIEVED: 0x61,
  SEND: 0x70,
  SENT: 0x71,
  MESSAGE: 0x72,
  HELLO: 0x80,
  WELCOME: 0x81,
  ACK: 0x90,
  DELIVERED: 0x92,
  STATUS: 0xa0,
  STATUS_REPLY: 0xa1,
  PING: 0xb0,
  PONG: 0xb1,
  PING_PUSH: 0xb2,
  GOODBYE: 0xc2,
  PASSWORD: 0xd0,
  PASSWORD_CHANGED: 0xd1,
  RECEIPTS: 0xe0,
  FATES: 0xe1,
  BLOCK: 0xf0,
  BLOCKED: 0xf1,
} as const;

export type Opcode = (typeof OPCODE)[keyof typeof OPCODE];

/** An opcode as the protocol's tables write it: `0x07`. */
export function opcodeText(opcode: number): string {
  return `0x${opcode.toString(16).padStart(2, '0')}`;
}
