import { ack } from './ack.ts';
import { block } from './block.ts';
import type { AnyCommand, AnyRequest, Command, RequestFor } from './command.ts';
import { create } from './create.ts';
import { deleteAccount } from './delete.ts';
import { devices, forgetDevice } from './devices.ts';
import { hello } from './hello.ts';
import { list } from './list.ts';
import { login } from './login.ts';
import { logout } from './logout.ts';
import { markRead } from './mark-read.ts';
import { changePassword } from './password.ts';
import { ping } from './ping.ts';
import { receipts } from './receipts.ts';
import { retrieve } from './retrieve.ts';
import { createRoom } from './rooms/create.ts';
import { deleteRoom } from './rooms/delete.ts';
import { holders } from './rooms/holders.ts';
import { invite } from './rooms/invite.ts';
import { join } from './rooms/join.ts';
import { kick } from './rooms/kick.ts';
import { leave } from './rooms/leave.ts';
import { listRooms } from './rooms/list.ts';
import { listMembers } from './rooms/members.ts';
import { preview } from './rooms/preview.ts';
import { raw } from './rooms/raw.ts';
import { setRoom } from './rooms/set.ts';
import { admitSend } from './send.ts';
import { status } from './status.ts';

/** Every request that a server carries out: who may ask for it, and what does it. */
const COMMANDS: { readonly [Type in AnyRequest['type']]: Command<RequestFor<Type>> } = {
  hello: { by: 'anybody', asks: true, run: hello },
  ping: { by: 'anybody', asks: true, answer: ping },
  create: { by: 'stranger', brings: 'login', run: create },
  login: { by: 'stranger', brings: 'login', run: login },
  logout: { by: 'loggedIn', brings: 'logout', run: logout },
  delete: { by: 'holder', brings: 'removal', run: deleteAccount },
  password: { by: 'holder', run: changePassword },
  // Names are no secret between people who can all make an account: no login is needed, unless the operator wants one.
  list: { by: 'anybody', asks: true, run: list },
  status: { by: 'loggedIn', asks: true, run: status },
  block: { by: 'loggedIn', run: block },
  send: { by: 'loggedIn', admit: admitSend },
  receipts: { by: 'loggedIn', asks: true, run: receipts },
  devices: { by: 'loggedIn', asks: true, run: devices },
  'mark-read': { by: 'holder', answer: markRead },
  'forget-device': { by: 'holder', run: forgetDevice },
  retrieve: { by: 'holder', asks: true, run: retrieve },
  ack: { by: 'holder', answer: ack },
  'room-create': { by: 'loggedIn', run: createRoom },
  'room-set': { by: 'loggedIn', run: setRoom },
  'room-delete': { by: 'loggedIn', run: deleteRoom },
  join: { by: 'loggedIn', run: join },
  leave: { by: 'loggedIn', run: leave },
  invite: { by: 'loggedIn', run: invite },
  kick: { by: 'loggedIn', run: kick },
  rooms: { by: 'loggedIn', asks: true, run: listRooms },
  members: { by: 'loggedIn', asks: true, run: listMembers },
  holders: { by: 'loggedIn', asks: true, run: holders },
  raw: { by: 'loggedIn', asks: true, run: raw },
  preview: { by: 'loggedIn', asks: true, run: preview },
};

/** What carries out a request, for whom `demandRight` lets pass. */
export function commandFor({ type }: AnyRequest): AnyCommand {
  // The row is for this very type, and who may ask has been looked at: more than the compiler can know.
  return COMMANDS[type] as AnyCommand;
}
