// What will happen, in order of time, and of scheduling where times are equal: a binary heap.

export interface ScheduledEvent {
  /** Simulated time, see TIME_PER_TICK. */
  time: number;
  /** Rises with each event scheduled: makes the order total. */
  order: number;
  kind: string;
  run: () => void;
}

export class EventQueue {
  readonly #heap: ScheduledEvent[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  push(time: number, kind: string, run: () => void): void {
    const heap = this.#heap;
    const event = { time, order: this.#order++, kind, run };
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as ScheduledEvent;
      if (!isBefore(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  pop(): ScheduledEvent | null {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return null;
    if (heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(event: ScheduledEvent): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, left)) child++;
      const smaller = heap[child] as ScheduledEvent;
      if (!isBefore(smaller, event)) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = event;
  }
}

function isBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
