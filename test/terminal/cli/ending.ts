/** Every command that ends by itself once a server has answered, or its time is over. @param seconds that it may take */
export function endingCommands(seconds: number, newPasswordFile: string): (readonly string[])[] {
  return [
    ['send', 'bob', 'hi'],
    ['send', 'bob', 'hi', '--wait-delivered', '--json'],
    ['retrieve'],
    ['list'],
    ['status', 'bob', 'carol'],
    ['create', 'carol'],
    ['passwd', '--new-password-file', newPasswordFile],
    ['delete', '--yes'],
  ].map((args) => [...args, '--timeout', String(seconds)]);
}

/** Exit codes that docs/commands.md has for what a server does. */
const DOCUMENTED = new Set<unknown>([0, 64, 65, 67, 69, 73, 74, 75, 77]);
/** Of a violation the client says so. */
export const FAULT = 70;

/** What is wrong with how a command has ended; null where nothing is. @param also exit codes that are as good */
export function wrongEnd(code: unknown, stderr: string, also: readonly unknown[]): string | null {
  if (/should not have happened|heap/.test(stderr)) return 'a fault of its own';
  if (!DOCUMENTED.has(code) && !also.includes(code)) return `exit code ${code}`;
  return stderr.length < 200_000 ? null : 'it says too much';
}
