import type { Address } from '../socket.ts';

export type Options =
  | { readonly type: 'chat'; readonly address: Address }
  | { readonly type: 'help' | 'version' }
  | { readonly type: 'mistake'; readonly text: string };

export const USAGE = `Usage: milena [--server HOST:PORT]

Opens a chat on a Milena server. Inside it, /help shows what you can type.

  --server HOST:PORT   the server; default: MILENA_HOST and MILENA_PORT, or 127.0.0.1:8080
  --help               show this
  --version            show the version
`;

/** Reads the command line and the environment. Never throws: a `mistake` has a sentence about what was wrong. */
export function parseOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Options {
  let server: string | undefined;
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (arg === '--help' || arg === '-h') return { type: 'help' };
    if (arg === '--version') return { type: 'version' };
    if (arg === '--server') {
      index += 1;
      server = args[index] ?? '';
    } else if (arg.startsWith('--server=')) {
      server = arg.slice('--server='.length);
    } else {
      return { type: 'mistake', text: `There is no option ${JSON.stringify(arg)}.` };
    }
  }
  if (server !== undefined) return serverOption(server);
  const host = environment.MILENA_HOST?.trim() || '127.0.0.1';
  const port = environment.MILENA_PORT?.trim() || '8080';
  if (!isPort(port)) return { type: 'mistake', text: `MILENA_PORT=${port} is no port, as 8080 would be.` };
  return { type: 'chat', address: { host, port: Number(port) } };
}

function serverOption(server: string): Options {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:[\]]+)):(\d+)$/.exec(server);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3];
  if (host === undefined || port === undefined || !isPort(port)) {
    const text = `--server ${JSON.stringify(server)} is not HOST:PORT, as 127.0.0.1:8080 would be.`;
    return { type: 'mistake', text };
  }
  return { type: 'chat', address: { host, port: Number(port) } };
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}
