// Clients that wait for an entry of this leader to be applied: in index order, found again at the head.

export interface WaitingWrite<T> {
  index: number;
  term: number;
  /** Milliseconds, the node's monotonic clock: when the request arrived. */
  arrivedAt: number;
  request: T;
}

export class WaitingWrites<T> {
  #items: WaitingWrite<T>[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** `index` is above that of every earlier one. */
  add(waiting: WaitingWrite<T>): void {
    this.#items.push(waiting);
  }

  /** The one that waits for the entry that is being applied, or null. */
  take(index: number, term: number): WaitingWrite<T> | null {
    const head = this.#items[this.#head];
    if (head === undefined || head.index !== index || head.term !== term) return null;
    this.#shift();
    return head;
  }

  /** All that arrived before `arrivedBefore`, oldest first; they are forgotten. */
  takeOlder(arrivedBefore: number): WaitingWrite<T>[] {
    const taken: WaitingWrite<T>[] = [];
    for (;;) {
      const head = this.#items[this.#head];
      if (head === undefined || head.arrivedAt >= arrivedBefore) return taken;
      taken.push(head);
      this.#shift();
    }
  }

  takeAll(): WaitingWrite<T>[] {
    return this.takeOlder(Number.POSITIVE_INFINITY);
  }

  #shift(): void {
    this.#head++;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head > 4096 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
