// Memory for records outside of the collector's heap: pages of bytes, each cut into slots of one size. What lies here
// costs the collector nothing, however many records there are. Knows nothing of what the slots hold.

/** Where a slot begins: the page's number times 2^16, and units of 16 bytes. 32 bits of either sign; 0 is no slot. */
export type Address = number;

export const NO_ADDRESS: Address = 0;

const UNIT_BITS = 4;
const PAGE_BITS = 16;
const UNIT_MASK = (1 << PAGE_BITS) - 1;
/** 1 MiB. */
const PAGE_UNITS_MAX = 1 << PAGE_BITS;
/** A keyspace of a few keys takes little: the first pages of a size are small, and each is as long as all before it. */
const PAGE_UNITS_MIN = 64;
const PAGES_MAX = 1 << 16;
/** Up to here every number of units is a size of its own. */
const EXACT_UNITS_MAX = 32;
/** Longer slots have a page to themselves. 256 KiB: 65,535 pages are 16 GiB at the least. */
const SHARED_UNITS_MAX = 16_384;
const NONE = -1;

interface Page {
  slotUnits: number;
  units: number;
  live: number;
  /** First unit of the slot that was freed last; it holds that of the one before, plus one. */
  freeUnit: number;
  /** Units that were ever handed out. */
  usedUnits: number;
  /** Its place in its size's list of pages with room. */
  partialAt: number;
}

interface SizeClass {
  slotUnits: number;
  /** Pages with room. */
  partial: number[];
  /** Of all its pages. */
  units: number;
}

/** At most a quarter more than asked for, and nothing more up to 512 bytes. */
function slotUnitsFor(length: number): number {
  const units = Math.max(1, (length + 15) >>> UNIT_BITS);
  if (units <= EXACT_UNITS_MAX || units > SHARED_UNITS_MAX) return units;
  const step = 1 << (29 - Math.clz32(units - 1));
  return (units + step - 1) & -step;
}

/** The classes in a row: 32 of exact sizes, then four for every doubling. */
function classOf(slotUnits: number): number {
  if (slotUnits <= EXACT_UNITS_MAX) return slotUnits;
  const log = 31 - Math.clz32(slotUnits - 1);
  return EXACT_UNITS_MAX + (log - 5) * 4 + (slotUnits >>> (log - 2));
}

export class ByteArena {
  /** By page number; the first one is never used, so that no slot has the address 0. */
  readonly #bytes: Uint8Array[] = [new Uint8Array(0)];
  readonly #pages: (Page | null)[] = [null];
  readonly #freeNumbers: number[] = [];
  /** By classOf. */
  readonly #classes: (SizeClass | undefined)[] = [];
  #reservedUnits = 0;

  /** Of all pages. */
  get reservedBytes(): number {
    return this.#reservedUnits * (1 << UNIT_BITS);
  }

  /** Throws RangeError when no page is left. What the slot holds is anything. */
  allocate(length: number): Address {
    const slotUnits = slotUnitsFor(length);
    if (slotUnits > SHARED_UNITS_MAX) return this.#addPage(slotUnits, slotUnits) << PAGE_BITS;
    const size = this.#classFor(slotUnits);
    if (size.partial.length === 0) this.#extend(size);
    const number = size.partial[size.partial.length - 1] as number;
    const page = this.#pages[number] as Page;
    let unit = page.freeUnit;
    if (unit === NONE) {
      unit = page.usedUnits;
      page.usedUnits += slotUnits;
    } else {
      page.freeUnit = readLink(this.#bytes[number] as Uint8Array, unit);
    }
    page.live++;
    if (page.freeUnit === NONE && page.usedUnits + slotUnits > page.units) {
      size.partial.pop();
      page.partialAt = NONE;
    }
    return (number << PAGE_BITS) | unit;
  }

  /** Whether the slot is the one that `length` bytes would get. */
  fits(address: Address, length: number): boolean {
    return (this.#pages[address >>> PAGE_BITS] as Page).slotUnits === slotUnitsFor(length);
  }

  free(address: Address): void {
    const number = address >>> PAGE_BITS;
    const page = this.#pages[number] as Page;
    page.live--;
    const size = page.slotUnits > SHARED_UNITS_MAX ? undefined : this.#classFor(page.slotUnits);
    // A page that is empty goes, unless the next record of this size would need one.
    if (size === undefined || (page.live === 0 && size.partial.length > (page.partialAt === NONE ? 0 : 1))) {
      this.#dropPage(number, page, size);
      return;
    }
    const unit = address & UNIT_MASK;
    writeLink(this.#bytes[number] as Uint8Array, unit, page.freeUnit);
    page.freeUnit = unit;
    if (page.partialAt === NONE) {
      page.partialAt = size.partial.length;
      size.partial.push(number);
    }
  }

  /** The page that the slot lies in. */
  bytesOf(address: Address): Uint8Array {
    return this.#bytes[address >>> PAGE_BITS] as Uint8Array;
  }

  /** Where the slot begins in its page. */
  offsetOf(address: Address): number {
    return (address & UNIT_MASK) << UNIT_BITS;
  }

  #classFor(slotUnits: number): SizeClass {
    const at = classOf(slotUnits);
    let size = this.#classes[at];
    if (size === undefined) {
      while (this.#classes.length < at) this.#classes.push(undefined);
      size = { slotUnits, partial: [], units: 0 };
      this.#classes[at] = size;
    }
    return size;
  }

  #extend(size: SizeClass): void {
    const { slotUnits } = size;
    const units = Math.min(PAGE_UNITS_MAX, Math.max(PAGE_UNITS_MIN, size.units));
    const slots = Math.max(1, Math.floor(units / slotUnits));
    const number = this.#addPage(slotUnits, slots * slotUnits);
    const page = this.#pages[number] as Page;
    page.live = 0;
    page.usedUnits = 0;
    page.partialAt = 0;
    size.partial.push(number);
    size.units += page.units;
  }

  /** All of it in use. */
  #addPage(slotUnits: number, units: number): number {
    const bytes = new Uint8Array(units << UNIT_BITS);
    const number = this.#freeNumbers.pop() ?? this.#pages.length;
    if (number >= PAGES_MAX) {
      throw new RangeError(
        `the keyspace needs more than ${PAGES_MAX - 1} pages of memory, the most there are`,
      );
    }
    this.#bytes[number] = bytes;
    this.#pages[number] = {
      slotUnits,
      units,
      live: 1,
      freeUnit: NONE,
      usedUnits: units,
      partialAt: NONE,
    };
    this.#reservedUnits += units;
    return number;
  }

  #dropPage(number: number, page: Page, size: SizeClass | undefined): void {
    if (size !== undefined) {
      size.units -= page.units;
      if (page.partialAt !== NONE) {
        const last = size.partial.pop() as number;
        if (last !== number) {
          size.partial[page.partialAt] = last;
          (this.#pages[last] as Page).partialAt = page.partialAt;
        }
      }
    }
    this.#reservedUnits -= page.units;
    this.#bytes[number] = this.#bytes[0] as Uint8Array;
    this.#pages[number] = null;
    this.#freeNumbers.push(number);
  }
}

function readLink(bytes: Uint8Array, unit: number): number {
  const at = unit << UNIT_BITS;
  const plusOne =
    (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  return plusOne - 1;
}

function writeLink(bytes: Uint8Array, unit: number, next: number): void {
  const at = unit << UNIT_BITS;
  const plusOne = next + 1;
  bytes[at] = plusOne & 0xff;
  bytes[at + 1] = (plusOne >>> 8) & 0xff;
  bytes[at + 2] = plusOne >>> 16;
}
