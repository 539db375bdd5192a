import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type Usage, usageOf } from '../process-usage.ts';

/*
 * What the machine knows of processes and their connections; from /proc, so Linux only.
 */

/** CPU seconds and memory of several processes together. */
export function usageOfAll(pids: readonly number[]): Usage {
  const all = pids.filter((pid) => pid > 0).map(usageOf);
  return {
    cpuSeconds: all.reduce((sum, usage) => sum + usage.cpuSeconds, 0),
    memoryMiB: all.reduce((sum, usage) => sum + usage.memoryMiB, 0),
    at: performance.now() / 1_000,
  };
}

const ESTABLISHED = '01';
const LISTENING = '0A';

interface TcpSocket {
  readonly localPort: number;
  readonly remotePort: number;
  readonly state: string;
  readonly inode: string;
}

/** The process that listens on a port, if this user may see it. */
export function pidListeningOn(port: number): number | undefined {
  const inodes = new Set(
    tcpSockets()
      .filter((socket) => socket.state === LISTENING && socket.localPort === port)
      .map((socket) => socket.inode),
  );
  if (inodes.size === 0) return undefined;
  return readdirSync('/proc')
    .map(Number)
    .find((pid) => pid > 0 && [...socketsOf(pid)].some((inode) => inodes.has(inode)));
}

/** Connections of a process to any of these ports. */
export function connectionsTo(pid: number, ports: readonly number[]): number {
  const own = socketsOf(pid);
  return tcpSockets().filter(
    ({ state, remotePort, inode }) => state === ESTABLISHED && ports.includes(remotePort) && own.has(inode),
  ).length;
}

function tcpSockets(): TcpSocket[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(1)
      .filter((line) => line !== '')
      .map((line) => {
        const [, local = '', remote = '', state = '', , , , , , inode = ''] = line.trim().split(/\s+/);
        return { localPort: portOf(local), remotePort: portOf(remote), state, inode };
      }),
  );
}

function portOf(address: string): number {
  return Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16);
}

/** Inodes of a process's sockets. */
function socketsOf(pid: number): Set<string> {
  const inodes = new Set<string>();
  let files: string[] = [];
  try {
    files = readdirSync(`/proc/${pid}/fd`);
  } catch {
    // Somebody else's process, or gone.
  }
  for (const file of files) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${file}`))?.[1];
      if (inode !== undefined) inodes.add(inode);
    } catch {
      // Closed meanwhile.
    }
  }
  return inodes;
}
