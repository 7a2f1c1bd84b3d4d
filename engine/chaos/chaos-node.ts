// One real node process of a chaos run: started, killed, stopped, given faults, its folder damaged. It says how it
// ended and whether that was wanted; deciding what to do to it is the nemesis' work.
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { NodeProcess } from '../cli/node-process.ts';
import { ExitCode, type NodeAction } from '../protocol/control.ts';
import type { NodeFaults } from '../protocol/faults.ts';
import type { NodeEvent, NodeStatus } from '../protocol/node-status.ts';

export interface ChaosNodeOptions {
  id: number;
  /** Path of the built engine-node.js. */
  entry: string;
  /** Handed over as it is, see engine/node/node-config.ts. */
  config: object;
  folder: string;
  /** `host:port` of its ports. */
  client: string;
  peer: string;
  /** Not from the beginning: it joins and leaves. */
  isSpare: boolean;
  onEvent: (event: NodeEvent) => void;
  onLine: (line: string) => void;
  /** It is ready for clients. */
  onReady: () => void;
  /** It ended in a way that nobody asked for. */
  onUnexpectedEnd: (what: string) => void;
}

const READY_MS = 60_000;
const END_MS = 30_000;
const STOP_GRACE_MS = 10_000;
const LINES_KEPT_MAX = 30;

export class ChaosNode {
  readonly id: number;
  readonly folder: string;
  readonly clientAddress: string;
  readonly peerAddress: string;
  /** It takes part: up, or to come back. */
  isEngaged: boolean;
  /** It has left the cluster for good. */
  isRetired = false;
  /** What it said last; null before its first status of this life. */
  status: NodeStatus | null = null;
  isPaused = false;
  isReady = false;
  /** Its end is on the way, and wanted. */
  #isEnding = false;
  /** A fault is in force that makes it end with this code, when it comes to that. */
  expectedCode: number | null = null;
  /** What it printed last. */
  readonly lines: string[] = [];
  readonly #options: ChaosNodeOptions;
  /** Its folder was emptied, or had something in it before. */
  #wasMember = false;
  #process: NodeProcess | null = null;
  #waiters: (() => void)[] = [];

  constructor(options: ChaosNodeOptions) {
    this.#options = options;
    this.id = options.id;
    this.folder = options.folder;
    this.clientAddress = options.client;
    this.peerAddress = options.peer;
    this.isEngaged = !options.isSpare;
  }

  get isRunning(): boolean {
    return this.#process !== null;
  }

  /** Up, and not stopped by a signal. */
  get isActive(): boolean {
    return this.isRunning && this.isReady && !this.isPaused;
  }

  get leads(): boolean {
    return this.isActive && this.status?.raft.role === 'leader';
  }

  /** Resolves when it is ready for clients; rejects with what it said when it ends instead. */
  async start(): Promise<void> {
    if (this.isRunning) return;
    this.status = null;
    this.isPaused = false;
    this.isReady = false;
    this.#isEnding = false;
    this.expectedCode = null;
    this.lines.length = 0;
    const { entry, config, onEvent } = this.#options;
    let child: NodeProcess | null = null;
    child = new NodeProcess(
      entry,
      { ...config, wasMember: this.#wasMember },
      {
        onMessage: (message) => {
          if (child !== this.#process) return;
          if (message.type === 'ready') {
            this.isReady = true;
            this.#options.onReady();
          } else if (message.type === 'status') this.status = message.status;
          else if (message.type === 'events') for (const event of message.events) onEvent(event);
          this.#wakeWaiters();
        },
        onLine: (line) => this.#said(line),
        onExit: (code, signal) => {
          if (child === this.#process) this.#ended(code, signal);
        },
      },
    );
    this.#process = child;
    this.#wasMember = true;
    await this.#until(() => this.isReady || !this.isRunning, READY_MS, 'is ready');
    // Another fault may have ended it while it was starting.
    if (this.isReady || this.#isEnding) return;
    throw new Error(`n${this.id} did not start: ${this.lines.at(-1) ?? 'it said nothing'}`);
  }

  /** SIGKILL. Resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#endBy((child) => child.kill());
  }

  /** What was not synced is dropped and torn as the seed says. Resolves when the process is gone. */
  async powerCut(seed: number): Promise<void> {
    this.resume();
    await this.#endBy((child) => void child.order({ type: 'act', action: { kind: 'powerCut', seed } }));
  }

  /** Gracefully, however long it takes within reason. */
  async stop(): Promise<void> {
    this.resume();
    await this.#endBy((child) => void child.stop(STOP_GRACE_MS));
  }

  async #endBy(how: (child: NodeProcess) => void): Promise<void> {
    const child = this.#process;
    if (child === null) return;
    this.#isEnding = true;
    how(child);
    await this.#until(() => this.#process !== child, END_MS, 'ends');
  }

  pause(): void {
    if (this.#process === null || this.isPaused) return;
    this.isPaused = true;
    process.kill(this.#process.pid, 'SIGSTOP');
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    if (this.#process !== null) process.kill(this.#process.pid, 'SIGCONT');
  }

  /** In place of all that were in force. */
  setFaults(faults: NodeFaults): void {
    this.#process?.order({ type: 'setFaults', faults });
  }

  act(action: NodeAction): void {
    this.#process?.order({ type: 'act', action });
  }

  /** Of a stopped node: everything that it had on disk is gone, and it must know that it had something. */
  async wipe(): Promise<void> {
    if (this.isRunning) throw new Error(`n${this.id} is running`);
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** A spare one goes away for good, with its folder. */
  async retire(): Promise<void> {
    this.isEngaged = false;
    this.isRetired = true;
    await this.kill();
    await this.wipe();
  }

  /** Of a stopped node: turns a bit of one record in its log. Says which, or null when there is none. */
  corrupt(seed: number): Promise<string | null> {
    if (this.isRunning) throw new Error(`n${this.id} is running`);
    const request = JSON.stringify({ folder: this.folder, seed });
    return new Promise((resolve) => {
      execFile(process.execPath, [this.#options.entry, '--corrupt-record', request], (error, stdout) => {
        resolve(error === null ? stdout.trim() : null);
      });
    });
  }

  #said(line: string): void {
    this.lines.push(line);
    if (this.lines.length > LINES_KEPT_MAX) this.lines.shift();
    this.#options.onLine(line);
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    this.#process = null;
    this.isReady = false;
    this.isPaused = false;
    const isExpected = code !== null && code === this.expectedCode;
    // However it was asked to end: an assertion that failed, or a disk that did without being told to, is none of it.
    const isItsOwn = code === ExitCode.programmerError || code === ExitCode.diskFailed;
    const isWanted = isExpected || (this.#isEnding && !isItsOwn);
    const how = signal ?? `exit code ${code}${nameOfCode(code)}`;
    this.#options.onLine(`-- ended: ${how}`);
    this.#wakeWaiters();
    if (!isWanted) this.#options.onUnexpectedEnd(`${how}; ${this.lines.at(-1) ?? 'it said nothing'}`);
  }

  #wakeWaiters(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }

  async #until(holds: () => boolean, deadlineMs: number, what: string): Promise<void> {
    const end = performance.now() + deadlineMs;
    while (!holds()) {
      const leftMs = end - performance.now();
      if (leftMs <= 0) throw new Error(`not within ${deadlineMs} ms: n${this.id} ${what}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#waiters.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
}

function nameOfCode(code: number | null): string {
  if (code === ExitCode.diskFailed) return ' (disk failed)';
  if (code === ExitCode.programmerError) return " (a programmer's error)";
  if (code === ExitCode.badConfiguration) return ' (could not start)';
  return '';
}
