// The replies of one connection on their way out: slots are reserved in the order of the requests, filled
// in any order, and taken in the order of the requests.

/** Text leaves as UTF-8. */
export type Reply = string | Uint8Array;

const SLOTS_INITIAL = 8;
const SLOTS_KEPT_WHEN_IDLE = 256;

export class ReplyRing {
  /** The reply, or the size of the request while it is being worked on. */
  #slots: (Reply | number | undefined)[] = new Array(SLOTS_INITIAL);
  /** The oldest slot not yet taken, and the next one to hand out. They only rise; their place is modulo the size. */
  #head = 0;
  #tail = 0;
  #replyBytes = 0;
  #requestBytes = 0;

  /** Reserved and not yet taken. */
  get outstanding(): number {
    return this.#tail - this.#head;
  }

  /** Size of the replies not yet taken. Text counts its UTF-16 units. */
  get replyBytes(): number {
    return this.#replyBytes;
  }

  /** Size of the requests without a reply. */
  get requestBytes(): number {
    return this.#requestBytes;
  }

  reserve(requestBytes: number): number {
    if (this.#tail - this.#head === this.#slots.length) this.#resize(this.#slots.length * 2);
    this.#slots[this.#tail & (this.#slots.length - 1)] = requestBytes;
    this.#requestBytes += requestBytes;
    return this.#tail++;
  }

  /** True when this was the oldest one: there is something to take. A slot that waits for no reply throws. */
  fill(slot: number, reply: Reply): boolean {
    const at = slot & (this.#slots.length - 1);
    const requestBytes = this.#slots[at];
    if (slot < this.#head || slot >= this.#tail || typeof requestBytes !== 'number') {
      throw new RangeError(`slot ${slot} waits for no reply (${this.#head} to ${this.#tail} are reserved)`);
    }
    this.#slots[at] = reply;
    this.#requestBytes -= requestBytes;
    this.#replyBytes += reply.length;
    return slot === this.#head;
  }

  /** Takes every reply up to the first one missing. Neighbouring texts come joined into one. */
  take(): Reply[] {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const chunks: Reply[] = [];
    let text = '';
    for (; this.#head < this.#tail; this.#head++) {
      const reply = slots[this.#head & mask];
      if (reply === undefined || typeof reply === 'number') break;
      slots[this.#head & mask] = undefined;
      this.#replyBytes -= reply.length;
      if (typeof reply === 'string') {
        text += reply;
      } else {
        if (text !== '') chunks.push(text);
        text = '';
        chunks.push(reply);
      }
    }
    if (text !== '') chunks.push(text);
    // An idle connection is cheap also after a burst.
    if (this.#head === this.#tail && slots.length > SLOTS_KEPT_WHEN_IDLE) this.#resize(SLOTS_INITIAL);
    return chunks;
  }

  #resize(length: number): void {
    const old = this.#slots;
    const slots: (Reply | number | undefined)[] = new Array(length);
    for (let slot = this.#head; slot < this.#tail; slot++) {
      slots[slot & (length - 1)] = old[slot & (old.length - 1)];
    }
    this.#slots = slots;
  }
}
