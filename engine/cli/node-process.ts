// One engine node as a child process: started from the built bundle, spoken to over its message port, and
// stopped. Its exit is an event, whatever caused it.
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { CONTROL_VERSION, type NodeMessage, type ParentMessage } from '../protocol/control.ts';
import { nodeArguments } from '../protocol/node-arguments.ts';
import { UnavailableError } from './exit-code.ts';

/** What the node is to be told to do, without the number that the answer is matched by. */
type Order = ParentMessage extends infer M ? (M extends ParentMessage ? Omit<M, 'requestId'> : never) : never;

export interface NodeProcessListener {
  onMessage(message: NodeMessage): void;
  /** Standard error of the node, line by line; of a log line only the message. */
  onLine(line: string): void;
  onExit(code: number | null, signal: NodeJS.Signals | null): void;
}

/** The node's bundle: beside the command line's own, or built from the sources that this runs from. */
export function findNodeEntry(): string {
  const places: string[] = [];
  const script = process.argv[1];
  if (script !== undefined && existsSync(script)) places.push(dirname(realpathSync(script)));
  const here = import.meta.dirname;
  places.push(here, resolve(here, '..'), resolve(here, '../../out/main'));
  for (const place of places) {
    const entry = join(place, 'engine-node.js');
    if (existsSync(entry)) return entry;
  }
  throw new UnavailableError('the node program engine-node.js is not built: run `npm run build` first');
}

export class NodeProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  #nextRequestId = 1;
  #exited = false;
  #onExit: (() => void)[] = [];

  /** `config` is handed over as it is; the node checks it. */
  constructor(entry: string, config: object, listener: NodeProcessListener) {
    const child = fork(entry, ['--config', JSON.stringify(config)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: nodeArguments(availableParallelism()),
    });
    this.#child = child;
    // Without a pid the process did not start, and `error` says why.
    this.pid = child.pid ?? 0;
    child.on('message', (message) => {
      const said = message as NodeMessage;
      if (said.type === 'ready' && said.version !== CONTROL_VERSION) {
        listener.onLine(`it speaks control version ${said.version}, not ${CONTROL_VERSION}: build again`);
        this.kill();
        return;
      }
      listener.onMessage(said);
    });
    child.on('error', (error) => {
      listener.onLine(error.message);
      if (child.pid === undefined) this.#ended(listener, null, null);
    });
    child.on('exit', (code, signal) => this.#ended(listener, code, signal));
    let rest = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = (lines.pop() ?? '').slice(-4096);
      for (const line of lines) listener.onLine(plainText(line));
    });
    child.stderr?.on('end', () => {
      if (rest !== '') listener.onLine(plainText(rest));
    });
  }

  get exited(): boolean {
    return this.#exited;
  }

  /** The request's id, echoed in the node's `done` or `refused`. Without effect once it has exited. */
  order(order: Order): number {
    const requestId = this.#nextRequestId++;
    if (this.#exited || !this.#child.connected) return requestId;
    // The node may die between the check and the write; its exit event tells.
    this.#child.send({ ...order, requestId } as ParentMessage, () => {});
    return requestId;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Gracefully, and after `graceMs` with SIGKILL. Resolves when it has exited. */
  async stop(graceMs: number): Promise<void> {
    if (this.#exited) return;
    const exited = new Promise<void>((done) => this.#onExit.push(done));
    this.order({ type: 'stop' });
    const timer = setTimeout(() => this.kill(), graceMs);
    await exited;
    clearTimeout(timer);
  }

  #ended(listener: NodeProcessListener, code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#exited) return;
    this.#exited = true;
    listener.onExit(code, signal);
    for (const done of this.#onExit.splice(0)) done();
  }
}

/** A node logs one JSON object a line; what it did not log itself (a crash) is shown as it is. */
function plainText(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const { message } = JSON.parse(line) as { message?: unknown };
    return typeof message === 'string' ? message : line;
  } catch {
    return line;
  }
}
