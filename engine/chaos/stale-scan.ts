// Everything that one node has, asked of it alone and at once: a client of the cluster would turn to another node
// when this one is slow, and that is the very difference that is looked for.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const PAGE = 5000;
const DEADLINE_MS = 60_000;

/** `address`: `host:port` of its client port. Rejects when it does not answer, or not with a page. */
export async function staleScan(address: string): Promise<Map<string, string>> {
  const [host = '', port = ''] = address.split(':');
  const socket = connect(Number(port), host);
  const timer = setTimeout(
    () => socket.destroy(new Error(`${address} took more than ${DEADLINE_MS} ms`)),
    DEADLINE_MS,
  );
  let failure: Error | null = null;
  socket.on('error', (error) => {
    failure = error;
  });
  const found = new Map<string, string>();
  const ask = (cursor: string | null): void => {
    const request = {
      command: 'scan',
      limit: PAGE,
      consistency: 'stale',
      ...(cursor !== null && { cursor }),
    };
    socket.write(`${JSON.stringify(request)}\n`);
  };
  try {
    ask(null);
    for await (const line of createInterface({ input: socket })) {
      const reply = JSON.parse(line) as {
        status: string;
        message?: string;
        items?: { key: string; value: unknown }[];
        cursor?: string | null;
      };
      if (reply.status !== 'ok')
        throw new Error(`${address} refuses a scan: ${reply.message ?? reply.status}`);
      for (const { key, value } of reply.items ?? []) found.set(key, String(value));
      if (reply.cursor === null || reply.cursor === undefined) return found;
      ask(reply.cursor);
    }
    throw failure ?? new Error(`${address} hung up`);
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
