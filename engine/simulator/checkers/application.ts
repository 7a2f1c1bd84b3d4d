// Entries are applied in order, each once in a life, and all state machines agree at equal lastApplied. Raft paper
// §5.4.3 [C6] [K1]
import { type AppliedEntry, type Checker, type NodeView, Violation } from './checker.ts';

export class Application implements Checker {
  readonly name = 'application';
  /** Of all entries up to each index, from index 1 on: what the first node that applied it had. */
  readonly #sums: number[] = [0];
  /** By index: of the state in bytes. */
  readonly #dumps = new Map<number, number>();
  readonly #progress = new Map<number, { life: number; index: number; sum: number }>();

  nodeStarted(node: NodeView): void {
    const index = node.log.baseIndex;
    this.#progress.set(node.id, { life: node.life, index, sum: this.#sums[index] ?? 0 });
  }

  applied(node: NodeView, { entry, sum, result }: AppliedEntry): void {
    const progress = this.#progress.get(node.id);
    if (progress === undefined || progress.life !== node.life) throw new Error(`n${node.id} was not started`);
    if (entry.index !== progress.index + 1) {
      throw new Violation(this.name, 'C6', `n${node.id} applies ${entry.index} after ${progress.index}`);
    }
    progress.index = entry.index;
    // The outcome counts as well: it is what clients and sessions see of the state before.
    progress.sum = mix(
      mix(progress.sum, sum),
      result === null ? 0 : sumOfText(JSON.stringify(result, inOrder)),
    );
    const known = this.#sums[entry.index];
    if (known === undefined) this.#sums[entry.index] = progress.sum;
    else if (known !== progress.sum) {
      throw new Violation(
        this.name,
        'K1',
        `the state of n${node.id} at ${entry.index} differs from another node's`,
      );
    }
  }

  stateDumped(node: NodeView, index: number, sum: number): void {
    const known = this.#dumps.get(index);
    if (known === undefined) this.#dumps.set(index, sum);
    else if (known !== sum) {
      throw new Violation(
        this.name,
        'K1',
        `the snapshot of n${node.id} at ${index} differs from another one`,
      );
    }
  }

  /** A snapshot took the place of the entries up to `index`. */
  restored(node: NodeView, index: number): void {
    const sum = this.#sums[index];
    if (sum === undefined)
      throw new Violation(this.name, 'S8', `n${node.id} restores ${index}, applied nowhere`);
    this.#progress.set(node.id, { life: node.life, index, sum });
  }
}

/** A result that comes out of a snapshot has its members in another order, and is the same. */
function inOrder(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function mix(sum: number, part: number): number {
  const mixed = Math.imul(sum ^ part, 0x85ebca6b);
  return (mixed ^ (mixed >>> 15) ^ (sum << 7)) | 0;
}

function sumOfText(text: string): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return sum;
}
