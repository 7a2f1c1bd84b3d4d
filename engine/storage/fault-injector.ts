// Which injected faults hit a call, and the waits they cause. Knows operations and paths, not files.
import type { DiskFault, DiskOperation } from '../protocol/faults.ts';
import type { Random } from './torn-write.ts';

/** What a call must suffer, after its delays and hangs are over. */
export interface Suffering {
  error: 'EIO' | 'ENOSPC' | null;
  /** The operation that the error is told of. */
  failed: DiskOperation;
  shortWrite: boolean;
  bitFlip: boolean;
  lyingSync: boolean;
}

export interface FaultInjectorOptions {
  random: Random;
  wait: (ms: number) => Promise<void>;
  /** A fault has used up its count and is gone. */
  onFaultsChanged: (faults: readonly DiskFault[]) => void;
}

export class FaultInjector {
  readonly #options: FaultInjectorOptions;
  #faults: readonly DiskFault[] = [];
  readonly #hits = new Map<string, number>();
  /** Calls that hang, by the fault that holds them. */
  readonly #hanging = new Map<string, (() => void)[]>();

  constructor(options: FaultInjectorOptions) {
    this.#options = options;
  }

  get faults(): readonly DiskFault[] {
    return this.#faults;
  }

  /** Replaces the faults in force. Calls that a removed fault held go on; a kept id keeps its count. */
  setFaults(faults: readonly DiskFault[]): void {
    this.#faults = [...faults];
    const kept = new Set(faults.map((fault) => fault.id));
    for (const id of this.#hits.keys()) if (!kept.has(id)) this.#hits.delete(id);
    for (const [id, releases] of this.#hanging) {
      if (kept.has(id)) continue;
      this.#hanging.delete(id);
      for (const release of releases) release();
    }
  }

  /** For a call that is several operations at once, each of them is asked in turn. */
  async suffer(operations: readonly DiskOperation[], path: string): Promise<Suffering> {
    const suffering: Suffering = {
      error: null,
      failed: operations[0] ?? 'write',
      shortWrite: false,
      bitFlip: false,
      lyingSync: false,
    };
    for (const operation of operations) {
      for (const fault of this.#faults) {
        if (!this.#hitBy(fault, operation, path)) continue;
        const { effect } = fault;
        if (effect.kind === 'delay') await this.#options.wait(effect.delayMs);
        else if (effect.kind === 'hang') await this.#hang(fault.id);
        else if (effect.kind === 'bitFlip') suffering.bitFlip = true;
        else if (effect.kind === 'lyingSync') suffering.lyingSync = true;
        else {
          suffering.error = effect.kind === 'error' ? effect.code : 'EIO';
          suffering.shortWrite = effect.kind === 'shortWrite';
          suffering.failed = operation;
          return suffering;
        }
      }
    }
    return suffering;
  }

  #hitBy(fault: DiskFault, operation: DiskOperation, path: string): boolean {
    if (!fault.operations.includes(operation)) return false;
    if (fault.pathContains !== undefined && !path.includes(fault.pathContains)) return false;
    if (!FITTING[fault.effect.kind].includes(operation)) return false;
    if (fault.probability !== undefined && this.#options.random() >= fault.probability) return false;
    if (fault.countMax === undefined) return true;
    const hits = (this.#hits.get(fault.id) ?? 0) + 1;
    if (hits > fault.countMax) return false;
    this.#hits.set(fault.id, hits);
    if (hits === fault.countMax) this.#retire(fault);
    return true;
  }

  /** A fault that hangs stays listed when its count is used up: removing it is what lets go. */
  #retire(fault: DiskFault): void {
    if (fault.effect.kind === 'hang') return;
    this.#faults = this.#faults.filter((other) => other !== fault);
    this.#options.onFaultsChanged(this.#faults);
  }

  #hang(id: string): Promise<void> {
    return new Promise((resolve) => {
      const releases = this.#hanging.get(id);
      if (releases === undefined) this.#hanging.set(id, [resolve]);
      else releases.push(resolve);
    });
  }
}

const ALL: readonly DiskOperation[] = [
  'open',
  'read',
  'write',
  'sync',
  'rename',
  'truncate',
  'unlink',
  'readdir',
  'syncFolder',
];

/** The operations on which an effect means something. */
const FITTING: Record<DiskFault['effect']['kind'], readonly DiskOperation[]> = {
  error: ALL,
  delay: ALL,
  hang: ALL,
  shortWrite: ['write'],
  bitFlip: ['write', 'read'],
  lyingSync: ['sync', 'syncFolder'],
};
