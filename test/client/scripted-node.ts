// A real TCP server that speaks JSON lines and answers as its test says: redirects, silence, lost replies,
// broken connections. Not a node: it keeps no log and asks nobody.
import { createServer, type Server, type Socket } from 'node:net';

export type ScriptedRequest = Readonly<Record<string, unknown>>;

export interface ScriptedConnection {
  /** Sends a reply at a time of the test's choosing. */
  reply(value: object): void;
  /** Sends these bytes as they are. */
  raw(bytes: string | Uint8Array): void;
  /** Breaks the connection as a killed process does. */
  break(): void;
}

/** What to answer; undefined says nothing (the script may use the connection later, or never). */
export type Script = (request: ScriptedRequest, connection: ScriptedConnection) => object | undefined;

export class ScriptedNode {
  address = '';
  script: Script;
  /** Everything but `status` probes, in order of arrival. */
  readonly requests: ScriptedRequest[] = [];
  /** `data` events: how many pieces the requests arrived in. */
  chunks = 0;
  connectionsTotal = 0;
  /** Sent at once on each new connection. */
  greeting: object | null = null;
  #server: Server | null = null;
  readonly #sockets = new Set<Socket>();

  constructor(script: Script) {
    this.script = script;
  }

  async start(port = 0): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('no port');
    this.#server = server;
    this.address = `127.0.0.1:${bound.port}`;
  }

  get port(): number {
    return Number(this.address.split(':')[1]);
  }

  /** As SIGKILL does: every connection breaks, nobody listens any more. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const socket of this.#sockets) socket.resetAndDestroy();
    if (server !== null) await new Promise((resolve) => server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    this.connectionsTotal++;
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    socket.setEncoding('utf8');
    const connection: ScriptedConnection = {
      reply: (value) => void socket.write(`${JSON.stringify(value)}\n`),
      raw: (bytes) => void socket.write(bytes),
      break: () => void socket.resetAndDestroy(),
    };
    if (this.greeting !== null) connection.reply(this.greeting);
    let rest = '';
    socket.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      let counted = false;
      for (const line of lines) {
        const request = JSON.parse(line) as ScriptedRequest;
        if (request.command !== 'status') {
          this.requests.push(request);
          if (!counted) this.chunks++;
          counted = true;
        }
        const reply = this.script(request, connection);
        if (reply !== undefined) connection.reply(reply);
        if (socket.destroyed) return;
      }
    });
  }
}

export const leaderStatus = (nodeId: number, currentTerm = 1) => ({
  status: 'ok',
  node_id: nodeId,
  role: 'leader',
  currentTerm,
});

export const followerStatus = (nodeId: number, currentTerm = 1, leader: string | null = null) => ({
  status: 'ok',
  node_id: nodeId,
  role: 'follower',
  currentTerm,
  leader,
});

/** Answers probes as the leader and everything else by `answer`. */
export function leads(nodeId: number, answer: Script, currentTerm = 1): Script {
  return (request, connection) =>
    request.command === 'status' ? leaderStatus(nodeId, currentTerm) : answer(request, connection);
}

/** A follower that redirects to `leader()`. */
export function follows(nodeId: number, leader: () => string | null, currentTerm = 1): Script {
  return (request) =>
    request.command === 'status'
      ? followerStatus(nodeId, currentTerm, leader())
      : { status: 'redirect', leader_id: null, leader: leader() };
}

/** Waits for a predicate; throws with its text when the deadline passes. */
export async function eventually(what: string, predicate: () => boolean, deadlineMs = 10_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!predicate()) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
