/*
 * Where a chat begins: takes echo and line editing from the terminal before anything that takes long is loaded. What is typed
 * meanwhile may be a password; it waits until somebody reads it. Node gives the terminal back when the process ends.
 *
 * Only for a chat: a command in the background would be stopped by it.
 */
import { commandAt } from './cli/command-place.ts';

const args = process.argv.slice(2);
const isOther = args.some((arg) => ['--help', '-h', '--version', '--plain'].includes(arg));
if (
  commandAt(args) === -1 &&
  !isOther &&
  process.stdin.isTTY &&
  process.stdout.isTTY &&
  process.env.TERM !== 'dumb'
) {
  process.stdin.setRawMode(true);
}
