// Keys end when the replicated time says so, not before, and never come back, whoever leads and whatever its clock says;
// and a transaction happens as a whole. Watches the keys that engine/simulator/ephemeral.ts writes. [K7] [K8] [K9]
import type { Command, Operation } from '../../protocol/command.ts';
import { EPHEMERAL_KEYS, isEphemeral } from '../ephemeral.ts';
import { type AppliedEntry, type Checker, type NodeView, Violation } from './checker.ts';

interface Expected {
  value: string;
  /** 0: never. */
  end: number;
}

export class EndsOfKeys implements Checker {
  readonly name = 'ends of keys';
  readonly #expected = new Map<string, Expected>();
  /** By index. */
  readonly #times: number[] = [0];

  /** The first node to apply an entry shows what it does to the keys; of the others the time is compared. [K1] */
  applied(node: NodeView, { entry, proposal }: AppliedEntry): void {
    const { index } = entry;
    const { time } = node.keyspace;
    const known = this.#times[index];
    if (known !== undefined) {
      if (known === time) return;
      throw new Violation(
        this.name,
        'K7',
        `the time of n${node.id} at ${index} is ${time}, and was ${known} elsewhere`,
      );
    }
    const before = this.#times[index - 1];
    if (before === undefined) throw new Error(`entry ${index} was applied before the one in front of it`);
    const now = Math.max(before, proposal?.time ?? 0);
    if (time !== now)
      throw new Violation(this.name, 'K7', `the time of n${node.id} at ${index} is ${time}, not ${now}`);
    this.#times[index] = now;
    this.#end(now);
    if (proposal !== null) this.#carryOut(proposal.command, now);
    if (now > 0) this.#compare(node, index);
  }

  #end(now: number): void {
    for (const [key, { end }] of this.#expected) if (end !== 0 && end <= now) this.#expected.delete(key);
  }

  #carryOut(command: Command, now: number): void {
    if (command.type === 'txn') for (const operation of command.success) this.#operate(operation, now);
    else if (command.type !== 'advanceTime') this.#operate(command, now);
    this.#end(now);
  }

  #operate(operation: Operation, now: number): void {
    if (!('key' in operation) || !isEphemeral(operation.key)) return;
    const { key } = operation;
    const before = this.#expected.get(key);
    if (operation.type === 'set') this.#expected.set(key, { value: operation.value, end: 0 });
    else if (operation.type === 'delete') this.#expected.delete(key);
    else if (operation.type === 'persist' && before !== undefined) before.end = 0;
    else if (operation.type === 'expire' && before !== undefined && operation.expiry.type === 'after') {
      before.end = now + operation.expiry.ms;
    } else if (operation.type === 'setWith') {
      const { expiry, value } = operation;
      const end = expiry.type === 'after' ? now + expiry.ms : expiry.type === 'keep' ? (before?.end ?? 0) : 0;
      this.#expected.set(key, { value, end });
    }
  }

  #compare(node: NodeView, index: number): void {
    for (const key of EPHEMERAL_KEYS) {
      const expected = this.#expected.get(key);
      const found = node.keyspace.get(key);
      if (found?.value === expected?.value && (found?.expiresAt ?? 0) === (expected?.end ?? 0)) continue;
      const is = found === null ? 'is not there' : `is ${found.value} until ${found.expiresAt ?? 'ever'}`;
      const not =
        expected === undefined
          ? 'is to be gone'
          : `is to be ${expected.value} until ${expected.end || 'ever'}`;
      throw new Violation(this.name, 'K8', `${key} ${is} on n${node.id} at ${index}, and ${not}`);
    }
  }
}
