// How much may be wrong at once, so that every promise still stands: the limits of the promises, in code.
//
//  - Durable, linearizable, atomic, once, honest hold whatever is away, for however long: any nodes may be down,
//    stopped or cut off at the same time, all of them included.
//  - They hold while the *memory* of a majority is whole: a folder may be damaged or emptied only while the folders
//    of all others are whole, and whoever lost something has it back before the next one may lose anything.
//  - Live holds while a majority is up, connected and able to write: the watch over gaps counts only such times.
import type { FaultCost } from './fault-kinds.ts';

export interface BudgetedFault {
  cost: FaultCost;
  /** Whom it hits; none for what concerns links between all. */
  nodes: readonly number[];
}

export class FaultBudget {
  readonly #voters: () => readonly number[];
  /** By a key of its own: faults in force that keep nodes from taking part. */
  readonly #inForce = new Map<number, BudgetedFault>();
  /** Nodes whose folders were damaged, and that do not have everything back. */
  readonly #damaged = new Set<number>();

  constructor(voters: () => readonly number[]) {
    this.#voters = voters;
  }

  /** How many may be damaged, or away while writes must go on. */
  get minority(): number {
    return Math.floor((this.#voters().length - 1) / 2);
  }

  get damaged(): ReadonlySet<number> {
    return this.#damaged;
  }

  /** Null when it may happen now, otherwise why not. */
  refuses({ cost, nodes }: BudgetedFault): string | null {
    if (cost !== 'memory') return null;
    const others = [...this.#damaged].filter((id) => !nodes.includes(id));
    if (others.length + nodes.length <= this.minority && !nodes.some((id) => this.#damaged.has(id)))
      return null;
    return `n${[...this.#damaged].join(', n')} has not everything back`;
  }

  begin(key: number, fault: BudgetedFault): void {
    this.#inForce.set(key, fault);
    if (fault.cost === 'memory') for (const id of fault.nodes) this.#damaged.add(id);
  }

  end(key: number): void {
    this.#inForce.delete(key);
  }

  /** The node has everything back that it once had. */
  whole(id: number): void {
    this.#damaged.delete(id);
  }

  /** A majority is up, connected and whole as far as faults go: writes must go on. */
  get isMajorityWell(): boolean {
    const away = new Set<number>(this.#damaged);
    for (const { cost, nodes } of this.#inForce.values()) {
      if (cost === 'cluster') return false;
      if (cost !== 'nuisance') for (const id of nodes) away.add(id);
    }
    return this.#voters().filter((id) => away.has(id)).length <= this.minority;
  }
}
