// Carries out console commands: keys through engine/client as any program would, the rest through the
// supervisor. Answers in lines for people; every failure says what can be done.
import type { Client } from '../../../engine/client/client.ts';
import { ClientError } from '../../../engine/client/client-error.ts';
import type { Receipt } from '../../../engine/client/operation.ts';
import type { NodeId } from '../../../engine/raft/types.ts';
import type { ClusterView } from '../../shared/cluster-view.ts';
import type { ConsoleCommand, NodeTarget } from '../../shared/console-command.ts';
import { parseConsoleLine } from '../../shared/console-grammar.ts';
import { helpLines } from '../../shared/console-help.ts';
import type { ConsoleLine } from '../../shared/console-line-view.ts';
import type { ConsoleReply, WorkloadRequest } from '../../shared/contract.ts';
import { leaderOf } from '../../shared/leader.ts';
import { answerKeyCommand, isKeyCommand, type KeyCommand } from './console-keys.ts';
import { memberLines, statusLines } from './console-status.ts';
import { counted } from './console-values.ts';
import type { ConsoleWatches } from './console-watches.ts';
import type { Acknowledgement } from './failover-stopwatch.ts';
import type { MemberChanges } from './member-changes.ts';
import type { Supervisor } from './supervisor.ts';
import { wallClockMs } from './wall-clock.ts';

export interface ConsoleOptions {
  client: Client;
  supervisor: Supervisor;
  changes: MemberChanges;
  watches: ConsoleWatches;
  view: () => ClusterView;
  startWorkload: (request: WorkloadRequest) => void;
  stopWorkload: () => void;
  reset: () => Promise<void>;
  /** Each write that was acknowledged to the console. */
  onAcknowledged: (ack: Acknowledgement) => void;
}

type MemberCommand = Extract<
  ConsoleCommand,
  { type: 'memberList' | 'memberAdd' | 'memberPromote' | 'memberRemove' }
>;

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
      if (parsed.command.type === 'watch') return await this.#watch(parsed.command);
      if (isKeyCommand(parsed.command)) return await this.#keys(parsed.command);
      const lines = await this.#panel(parsed.command);
      return { ok: true, lines, receipt: null };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return { ok: false, lines: [{ tone: 'error', text }], receipt: null };
    }
  }

  async #watch(command: Extract<ConsoleCommand, { type: 'watch' }>): Promise<ConsoleReply> {
    const { watchId, from } = await this.#options.watches.begin(command);
    const what = command.key ?? (command.prefix === null ? 'every key' : `${command.prefix}*`);
    const text = `Watch ${watchId}: ${what}, from revision ${from} on; unwatch ${watchId} ends it`;
    return { ok: true, lines: [{ tone: 'note', text }], receipt: null, watchId };
  }

  async #keys(command: KeyCommand): Promise<ConsoleReply> {
    const startedAt = wallClockMs();
    try {
      const { lines, receipt, ok = true } = await answerKeyCommand(this.#options.client, command);
      const isWrite = !['get', 'scan', 'ping', 'ttl'].includes(command.type);
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

  async #panel(command: Exclude<ConsoleCommand, KeyCommand | { type: 'watch' }>): Promise<ConsoleLine[]> {
    const { supervisor } = this.#options;
    switch (command.type) {
      case 'help':
        return helpLines(command.topic);
      case 'status':
        return statusLines(this.#options.view());
      case 'unwatch': {
        const count = this.#options.watches.end(command.watchId);
        return done(count === 0 ? 'No watch runs' : count === 1 ? 'The watch ends' : `${count} watches end`);
      }
      case 'memberList':
      case 'memberAdd':
      case 'memberPromote':
      case 'memberRemove':
        return this.#members(command);
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

  async #members(command: MemberCommand): Promise<ConsoleLine[]> {
    const { changes, view } = this.#options;
    switch (command.type) {
      case 'memberList':
        return memberLines(view());
      case 'memberAdd': {
        const nodeId = await changes.add(command.nodeId ?? undefined);
        return [...done(`n${nodeId} has caught up and votes`), ...memberLines(view())];
      }
      case 'memberPromote':
        await changes.promote(command.nodeId);
        return [...done(`n${command.nodeId} votes now`), ...memberLines(view())];
      case 'memberRemove': {
        const nodeId = this.#nodeOf(command.target);
        await changes.remove(nodeId, command.folder);
        const folder = command.folder === 'delete' ? 'its folder is deleted' : 'its folder is set aside';
        return [
          ...done(`n${nodeId} has left; its process has stopped and ${folder}`),
          ...memberLines(view()),
        ];
      }
    }
  }

  async #node(
    verb: 'kill' | 'pause' | 'resume' | 'restart' | 'stop' | 'campaign' | 'snapshot' | 'wipe',
    nodeId: NodeId,
  ): Promise<ConsoleLine[]> {
    const { supervisor } = this.#options;
    switch (verb) {
      case 'kill':
        await supervisor.kill(nodeId);
        return done(`SIGKILL sent to n${nodeId}: its process is dead`);
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
            text: `restart n${nodeId}: it has no vote until it has heard all others and caught up`,
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

function done(text: string): ConsoleLine[] {
  return [{ tone: 'ok', text }];
}

function shownReceipt({ nodeId, index, term, attempts, elapsedMs }: Receipt): ConsoleReply['receipt'] {
  // 0: the node that answered has not told its id yet.
  return { node: nodeId ?? 0, index, term, attempts, elapsedMs };
}

function errorLines(error: ClientError): ConsoleLine[] {
  const lines: ConsoleLine[] = [{ tone: 'error', text: `${error.code}: ${error.message}` }];
  if (error.outcome === 'unknown') {
    lines.push({ tone: 'note', text: 'Unknown, not failed: read the key to see whether it was written.' });
  }
  return lines;
}
