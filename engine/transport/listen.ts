// Opens a TCP listener on an address. A port that is taken is replaced by a free one when asked so; the
// caller learns the actual port and whether it was replaced, and says so to people.
import type { AddressInfo, Server } from 'node:net';

export interface ListenOptions {
  host: string;
  /** 0 lets the operating system choose. */
  port: number;
  /** When the port is taken: listen on a free one instead of failing. */
  replaceTakenPort?: boolean | undefined;
}

export interface Listening {
  host: string;
  port: number;
  /** `host:port`, an IPv6 host in brackets. */
  address: string;
  /** The port that was asked for was taken, and `port` is another. */
  portReplaced: boolean;
}

/** Rejects with the operating system's error (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`). */
export async function listen(server: Server, options: ListenOptions): Promise<Listening> {
  try {
    return { ...(await listenOnce(server, options.host, options.port)), portReplaced: false };
  } catch (error) {
    if (options.replaceTakenPort !== true || !isPortTaken(error)) throw error;
    return { ...(await listenOnce(server, options.host, 0)), portReplaced: true };
  }
}

/** `host:port` as people and URLs write it. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function listenOnce(server: Server, host: string, port: number): Promise<Omit<Listening, 'portReplaced'>> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => {
      server.off('listening', onListening);
      reject(error);
    };
    const onListening = (): void => {
      server.off('error', onError);
      const bound = (server.address() as AddressInfo).port;
      resolve({ host, port: bound, address: formatAddress(host, bound) });
    };
    server.once('error', onError);
    server.once('listening', onListening);
    // `exclusive`: inside a cluster worker the port would otherwise be shared and never be seen as taken.
    server.listen({ host, port, exclusive: true });
  });
}

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
