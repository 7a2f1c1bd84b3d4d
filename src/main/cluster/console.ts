// Carries out console commands: keys through engine/client as any program would, the rest through the
// supervisor. Answers in lines for people; every failure says what can be done.
import type { Client } from '../../../engine/client/client.ts';
import { ClientError } from '../../../engine/client/client-error.ts';
import type { Receipt } from '../../../engine/client/operation.ts';
import type { ReplyValue } from '../../../engine/protocol/json-client.ts';
import type { NodeId } from '../../../engine/raft/types.ts';
import type { ClusterView, NodeView } from '../../shared/cluster-view.ts';
import type { ConsoleCommand, NodeTarget } from '../../shared/console-commands.ts';
import { parseConsoleLine } from '../../shared/console-grammar.ts';
import { helpLines } from '../../shared/console-help.ts';
import type { ConsoleLine, ConsoleReply, WorkloadRequest } from '../../shared/contract.ts';
import { leaderOf } from '../../shared/leader.ts';
import type { Acknowledgement } from './failover-stopwatch.ts';
import type { Supervisor } from './supervisor.ts';
import { wallClockMs } from './wall-clock.ts';

export interface ConsoleOptions {
  client: Client;
  supervisor: Supervisor;
  view: () => ClusterView;
  startWorkload: (request: WorkloadRequest) => void;
  stopWorkload: () => void;
  reset: () => Promise<void>;
  /** Each write that was acknowledged to the console. */
  onAcknowledged: (ack: Acknowledgement) => void;
}

type KeyCommand = Extract<
  ConsoleCommand,
  { type: 'set' | 'get' | 'delete' | 'bulkSet' | 'incr' | 'cas' | 'scan' | 'ping' }
>;

interface Answer {
  lines: ConsoleLine[];
  receipt: Receipt | null;
  ok?: boolean;
}

export class PanelConsole {
  readonly #options: ConsoleOptions;

  constructor(options: ConsoleOptions) {
    this.#options = options;
  }

  /** Never rejects for what a person wrote or a cluster refused: that is a reply. */
  async execute(line: string): Promise<ConsoleReply> {
    const parsed = parseConsoleLine(line);
    if (!parsed.ok) return { ok: false, lines: [{ tone: 'error', text: parsed.message }], receipt: null };
    if (parsed.command === null) return { ok: true, lines: [], receipt: null };
    try {
      if (isKeyCommand(parsed.command)) return await this.#keys(parsed.command);
      const lines = await this.#panel(parsed.command);
      return { ok: true, lines, receipt: null };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return { ok: false, lines: [{ tone: 'error', text }], receipt: null };
    }
  }

  async #keys(command: KeyCommand): Promise<ConsoleReply> {
    const startedAt = wallClockMs();
    try {
      const { lines, receipt, ok = true } = await this.#keyAnswer(command);
      const isWrite = !['get', 'scan', 'ping'].includes(command.type);
      if (isWrite && receipt !== null) {
        const { nodeId, term } = receipt;
        this.#options.onAcknowledged({ startedAt, at: wallClockMs(), nodeId, term });
      }
      return { ok, lines, receipt: receipt === null ? null : shownReceipt(receipt) };
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return { ok: false, lines: errorLines(error), receipt: null };
    }
  }

  async #keyAnswer(command: KeyCommand): Promise<Answer> {
    const { client } = this.#options;
    switch (command.type) {
      case 'set': {
        const { receipt } = await client.set(command.key, command.value);
        return { lines: [{ tone: 'ok', text: 'OK' }], receipt };
      }
      case 'get': {
        const { found, value, receipt } = await client.get(command.key);
        return { lines: [found ? valueLine(value) : { tone: 'note', text: '(nil)' }], receipt };
      }
      case 'delete':
        return this.#delete(command.keys);
      case 'bulkSet': {
        const items = command.items.map(({ key, value }) => [key, value] as const);
        const { count, receipt } = await client.bulkSet(items);
        return { lines: [{ tone: 'ok', text: `OK, ${counted(count, 'key')} in one log entry` }], receipt };
      }
      case 'incr': {
        const { value, receipt } = await client.incr(command.key, BigInt(command.by));
        return { lines: [{ tone: 'value', text: String(value) }], receipt };
      }
      case 'cas': {
        const { swapped, current, receipt } = await client.cas(command.key, command.expected, command.value);
        if (swapped) return { lines: [{ tone: 'ok', text: 'OK, swapped' }], receipt };
        const now = current === null ? 'there is no such key' : `the value is ${shownValue(current)}`;
        return { ok: false, lines: [{ tone: 'note', text: `Not swapped: ${now}` }], receipt };
      }
      case 'scan':
        return this.#scan(command);
      case 'ping': {
        const { receipt } = await client.ping();
        return { lines: [{ tone: 'ok', text: 'PONG' }], receipt };
      }
    }
  }

  async #delete(keys: readonly string[]): Promise<Answer> {
    const outcomes = await Promise.all(keys.map((key) => this.#options.client.delete(key)));
    const existed = outcomes.filter((outcome) => outcome.existed).length;
    const receipt = outcomes.at(-1)?.receipt ?? null;
    const text = keys.length === 1 && existed === 0 ? '0 (there was no such key)' : String(existed);
    return { lines: [{ tone: 'value', text }], receipt };
  }

  async #scan({ prefix, limit }: { prefix: string; limit: number }): Promise<Answer> {
    const { items, cursor, receipt } = await this.#options.client.scanPage({ prefix, limit });
    const lines: ConsoleLine[] = items.map(({ key, value }) => ({
      tone: 'table',
      text: `${shownKey(key)}  ${shownValue(value)}`,
    }));
    const more = cursor === null ? '' : `, and there are more: scan ${prefix} --limit ${limit * 10}`;
    lines.push({ tone: 'note', text: `${counted(items.length, 'key')}${more}` });
    return { lines, receipt };
  }

  async #panel(command: Exclude<ConsoleCommand, KeyCommand>): Promise<ConsoleLine[]> {
    const { supervisor } = this.#options;
    switch (command.type) {
      case 'help':
        return helpLines(command.topic);
      case 'status':
        return statusLines(this.#options.view());
      case 'heal':
        await supervisor.heal();
        return done('All faults removed, all nodes up');
      case 'reset':
        await this.#options.reset();
        return done('A new, empty cluster is up');
      case 'partition':
        await supervisor.partition(command.groups);
        return done('Partitioned; heal brings the links back');
      case 'link': {
        const { from, to, direction, effect } = command;
        await supervisor.applyLink(from, { id: `${effect.kind}-n${to}`, peer: to, direction, effect });
        return done(`Link n${from} – n${to} is faulty; heal brings it back`);
      }
      case 'fault': {
        const nodeId = this.#nodeOf(command.target);
        await supervisor.applyDisk(nodeId, command.fault);
        return done(`${command.fault.id} is in force on n${nodeId}`);
      }
      case 'faultClear': {
        const nodeId = this.#nodeOf(command.target);
        await supervisor.clearFaults(nodeId);
        return done(`n${nodeId} has no faults any more`);
      }
      case 'powerCut': {
        if (command.target === null) {
          await supervisor.powerCutAll(command.seed ?? undefined);
          return done('All nodes are without power; heal starts them again');
        }
        const nodeId = this.#nodeOf(command.target);
        await supervisor.powerCut(nodeId, command.seed ?? undefined);
        return done(`n${nodeId} is without power; restart n${nodeId} starts it`);
      }
      case 'corrupt': {
        const nodeId = this.#nodeOf(command.target);
        const index = command.index ?? undefined;
        const { file, offsetBytes, bit, ...record } = await supervisor.corruptRecord(nodeId, { index });
        const place = `bit ${bit} at offset ${offsetBytes} of ${file}`;
        return [
          ...done(`Entry ${record.index} on n${nodeId}'s disk is corrupt: ${place}`),
          { tone: 'note', text: `It shows when the node starts: restart n${nodeId}` },
        ];
      }
      case 'load': {
        const { type: _, ...request } = command;
        this.#options.startWorkload(request);
        const rate = request.ratePerSecond === 0 ? 'as fast as they go' : `${request.ratePerSecond} a second`;
        return done(`Load: ${counted(request.clients, 'client')}, ${rate}; load stop ends it`);
      }
      case 'loadStop':
        this.#options.stopWorkload();
        return done('Load stopped');
      case 'stepDown': {
        const nodeId = this.#nodeOf(command.target);
        await supervisor.act(nodeId, { kind: 'stepDown', target: command.successor ?? undefined });
        return done(`n${nodeId} hands leadership over`);
      }
      default:
        return this.#node(command.type, this.#nodeOf(command.target));
    }
  }

  async #node(
    verb: 'kill' | 'pause' | 'resume' | 'restart' | 'stop' | 'campaign' | 'snapshot' | 'wipe',
    nodeId: NodeId,
  ): Promise<ConsoleLine[]> {
    const { supervisor } = this.#options;
    switch (verb) {
      case 'kill':
        supervisor.kill(nodeId);
        return done(`SIGKILL sent to n${nodeId}`);
      case 'pause':
        supervisor.pause(nodeId);
        return done(`n${nodeId} is frozen; resume n${nodeId} wakes it`);
      case 'resume':
        supervisor.resume(nodeId);
        return done(`n${nodeId} goes on`);
      case 'restart':
        await supervisor.restart(nodeId);
        return done(`n${nodeId} is up`);
      case 'stop':
        await supervisor.stop(nodeId);
        return done(`n${nodeId} is stopped`);
      case 'campaign':
        await supervisor.act(nodeId, { kind: 'campaign' });
        return done(`n${nodeId} campaigns`);
      case 'snapshot':
        await supervisor.act(nodeId, { kind: 'snapshot' });
        return done(`n${nodeId} was asked for a snapshot; the feed tells what became of it`);
      case 'wipe':
        await supervisor.wipe(nodeId);
        return [
          ...done(`n${nodeId} is stopped and its folder is empty`),
          {
            tone: 'note',
            text: `restart n${nodeId}: it has no vote until it has heard both others and caught up`,
          },
        ];
    }
  }

  #nodeOf(target: NodeTarget): NodeId {
    if (target.kind === 'node') return target.nodeId;
    const leader = leaderOf(this.#options.view());
    if (leader === null) throw new Error('Nobody leads at the moment. Name a node, as in n1, or see status.');
    return leader.process.nodeId;
  }
}

function isKeyCommand(command: ConsoleCommand): command is KeyCommand {
  return ['set', 'get', 'delete', 'bulkSet', 'incr', 'cas', 'scan', 'ping'].includes(command.type);
}

function done(text: string): ConsoleLine[] {
  return [{ tone: 'ok', text }];
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

function shownReceipt({ nodeId, index, term, attempts, elapsedMs }: Receipt): ConsoleReply['receipt'] {
  // 0: the node that answered has not told its id yet.
  return { node: nodeId ?? 0, index, term, attempts, elapsedMs };
}

function shownValue(value: ReplyValue): string {
  if (value instanceof Uint8Array) return bytesText(value);
  if (typeof value === 'bigint') return String(value);
  return JSON.stringify(value, (_name, part: unknown) => (typeof part === 'bigint' ? Number(part) : part));
}

/** As redis-cli shows bytes: `"\\xff\\x00"`. */
function bytesText(bytes: Uint8Array): string {
  return `"${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`;
}

function valueLine(value: ReplyValue): ConsoleLine {
  return { tone: 'value', text: shownValue(value) };
}

/** Quoted when it could be taken for something else. */
function shownKey(key: string | Uint8Array): string {
  if (key instanceof Uint8Array) return bytesText(key);
  return /^[\x21\x23-\x7e\u00a1-\uffff]+$/.test(key) ? key : JSON.stringify(key);
}

function errorLines(error: ClientError): ConsoleLine[] {
  const lines: ConsoleLine[] = [{ tone: 'error', text: `${error.code}: ${error.message}` }];
  if (error.outcome === 'unknown') {
    lines.push({ tone: 'note', text: 'Unknown, not failed: read the key to see whether it was written.' });
  }
  return lines;
}

function statusLines(view: ClusterView): ConsoleLine[] {
  const leader = leaderOf(view);
  const up = view.nodes.filter((node) => node.process.state === 'running').length;
  const head =
    leader === null
      ? `Nobody leads; ${up} of ${view.nodes.length} nodes run`
      : `n${leader.process.nodeId} leads in term ${leader.status?.raft.currentTerm}; ${up} of ${view.nodes.length} nodes run`;
  return [{ tone: 'note', text: head }, ...view.nodes.map(statusLine)];
}

function statusLine({ process, status }: NodeView): ConsoleLine {
  const name = `n${process.nodeId}`;
  if (status === null) {
    const isDead = process.state === 'crashed' || process.state === 'stopped';
    const why = isDead ? (process.exit?.reason ?? 'not started yet') : 'it has not told anything yet';
    return { tone: 'table', text: `${name}  ${process.state}  ${why}` };
  }
  const { role, currentTerm, commitIndex, lastApplied, lastIndex } = status.raft;
  const shown = process.state === 'running' ? role : process.state;
  const text =
    `${name}  ${shown.padEnd(12)} term ${currentTerm}  last ${lastIndex}  commit ${commitIndex}  ` +
    `applied ${lastApplied}  pid ${process.pid}  ${process.clientAddress}`;
  return { tone: 'table', text };
}
