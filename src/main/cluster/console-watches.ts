// The console's watches: each reads a watch of the client and hands its events on as lines, as many at a time as
// there are, and no faster than a window can read.
import type { Client } from '../../../engine/client/client.ts';
import type { Watch, WatchEvent } from '../../../engine/client/watch.ts';
import type { ConsoleCommand } from '../../shared/console-command.ts';
import type { ConsoleLine } from '../../shared/console-line-view.ts';
import { shownKey, shownValue } from './console-values.ts';

export const WATCHES_MAX = 8;
/** Lines of one watch in one step; what comes faster is counted instead of shown. */
const LINES_MAX = 50;
const STEP_MS = 100;
const VALUE_CHARS_MAX = 200;

export interface ConsoleWatchesOptions {
  client: Client;
  onLines: (watchId: number, lines: readonly ConsoleLine[], ended: boolean) => void;
}

interface Running {
  watch: Watch;
  waiting: ConsoleLine[];
  skipped: number;
  timer: NodeJS.Timeout | null;
}

export class ConsoleWatches {
  readonly #options: ConsoleWatchesOptions;
  readonly #running = new Map<number, Running>();
  #nextId = 1;

  constructor(options: ConsoleWatchesOptions) {
    this.#options = options;
  }

  /** Resolves once a node has taken it. */
  async begin(
    command: Extract<ConsoleCommand, { type: 'watch' }>,
  ): Promise<{ watchId: number; from: number }> {
    if (this.#running.size >= WATCHES_MAX) {
      throw new Error(`${WATCHES_MAX} watches run already: unwatch ends them all, unwatch 1 one of them.`);
    }
    const { prefix, key, fromRevision } = command;
    const watch = this.#options.client.watch({
      prefix: prefix ?? undefined,
      key: key ?? undefined,
      fromRevision: fromRevision ?? undefined,
    });
    const watchId = this.#nextId++;
    const running: Running = { watch, waiting: [], skipped: 0, timer: null };
    this.#running.set(watchId, running);
    try {
      const from = await watch.started;
      void this.#read(watchId, running);
      return { watchId, from };
    } catch (error) {
      this.#running.delete(watchId);
      watch.close();
      throw error;
    }
  }

  /** Resolves to how many have ended. */
  end(watchId: number | null): number {
    if (watchId !== null && !this.#running.has(watchId)) {
      const there = [...this.#running.keys()];
      const known = there.length === 0 ? 'none runs' : `there are ${there.join(', ')}`;
      throw new Error(`There is no watch ${watchId}: ${known}.`);
    }
    const ids = watchId === null ? [...this.#running.keys()] : [watchId];
    for (const id of ids) this.#running.get(id)?.watch.close();
    return ids.length;
  }

  async #read(watchId: number, running: Running): Promise<void> {
    let last: ConsoleLine = { tone: 'note', text: 'The watch has ended' };
    try {
      for await (const event of running.watch) {
        if (running.waiting.length < LINES_MAX) running.waiting.push(eventLine(event));
        else running.skipped += 1;
        running.timer ??= setTimeout(() => this.#flush(watchId, running, []), STEP_MS);
      }
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      last = { tone: 'error', text: `The watch has ended: ${text}` };
    }
    this.#running.delete(watchId);
    this.#flush(watchId, running, [last]);
  }

  #flush(watchId: number, running: Running, last: readonly ConsoleLine[]): void {
    if (running.timer !== null) clearTimeout(running.timer);
    running.timer = null;
    const { waiting, skipped } = running;
    running.waiting = [];
    running.skipped = 0;
    const more: ConsoleLine[] =
      skipped === 0 ? [] : [{ tone: 'note', text: `… and ${skipped} more in this moment` }];
    this.#options.onLines(watchId, [...waiting, ...more, ...last], last.length > 0);
  }
}

function eventLine({ type, key, value, revision, expiresAt, expired }: WatchEvent): ConsoleLine {
  const at = `@${revision}`.padEnd(8);
  if (type === 'flush') return { tone: 'table', text: `${at}  flush   every key is gone` };
  if (type === 'delete') {
    return { tone: 'table', text: `${at}  delete  ${shownKey(key)}${expired ? '  (its end had come)' : ''}` };
  }
  const text = shownValue(value);
  const shown = text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX)}…` : text;
  const end = expiresAt === null ? '' : `  until ${new Date(expiresAt).toISOString().slice(11, 19)} UTC`;
  return { tone: 'table', text: `${at}  put     ${shownKey(key)}  ${shown}${end}` };
}
