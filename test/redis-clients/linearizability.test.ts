// Redis clients on all nodes while leaders are killed and paused: what they saw is put before the checker.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkText, describeCheck } from '../../engine/checker/check-text.ts';
import type { HistoryEntry } from '../../engine/checker/history.ts';
import { eventually, TestCluster } from '../cluster/harness.ts';
import { seededChoice } from '../cluster/seed.ts';
import { RawRespClient } from './raw-client.ts';

const WORKERS = 9;
const KEYS = ['x', 'y', 'z'];
const ACKNOWLEDGED_PER_ROUND = 250;

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start({ config: { electionTimeoutMs: [400, 800], requestTimeoutMs: 2000 } });
});
afterAll(async () => {
  await cluster?.stop();
});

/** One client at a time does one thing at a time; after an unknown outcome it is another process of the history. */
class Worker {
  #client: RawRespClient | null = null;
  #process: number;
  readonly #number: number;
  readonly #history: HistoryEntry[];
  acknowledged = 0;

  constructor(number: number, history: HistoryEntry[]) {
    this.#number = number;
    this.#process = number;
    this.#history = history;
  }

  async write(key: string, value: number): Promise<void> {
    await this.#do({ f: 'write', key, value }, ['SET', key, String(value)]);
  }

  async read(key: string): Promise<void> {
    await this.#do({ f: 'read', key }, ['GET', key]);
  }

  close(): void {
    this.#client?.close();
  }

  async #do(operation: { f: 'read' | 'write'; key: string; value?: number }, argv: string[]): Promise<void> {
    if (this.#client === null || this.#client.closed) {
      const running = cluster.nodes.filter((node) => node.running && !node.paused);
      this.#client = new RawRespClient(running[this.#number % running.length]?.port ?? 0);
    }
    const process = this.#process;
    this.#history.push({ process, type: 'invoke', ...operation });
    const reply = await this.#client.ask(...argv).catch(() => 'lost');
    if (reply === '+OK\r\n' || reply.startsWith('$')) {
      this.acknowledged++;
      const read = reply === '$-1\r\n' ? null : Number(reply.split('\r\n')[1]);
      this.#history.push({
        process,
        type: 'ok',
        ...operation,
        value: operation.f === 'read' ? read : (operation.value ?? null),
      });
      return;
    }
    expect(reply).toMatch(/^(lost|-CLUSTERDOWN|-TRYAGAIN|-TIMEOUT)/);
    const isDefinite = operation.f === 'read' || /^-(CLUSTERDOWN|TRYAGAIN)/.test(reply);
    this.#history.push({ process, type: isDefinite ? 'fail' : 'info', ...operation });
    if (!isDefinite) this.#process += WORKERS;
  }
}

test('through three rounds of faults every history of Redis clients is linearizable', async () => {
  const choice = seededChoice('test/redis-clients/linearizability.test.ts');
  const history: HistoryEntry[] = [];
  const workers = Array.from({ length: WORKERS }, (_, number) => new Worker(number, history));
  const acknowledged = (): number => workers.reduce((sum, worker) => sum + worker.acknowledged, 0);
  let value = 0;
  let isOver = false;
  const work = workers.map(async (worker) => {
    while (!isOver) {
      const key = choice.pick(KEYS);
      if (choice.integer(2) === 0) await worker.write(key, ++value);
      else await worker.read(key);
    }
  });
  for (const fault of ['kill', 'pause', 'transfer'] as const) {
    const before = acknowledged();
    await eventually('some work', () => acknowledged() >= before + ACKNOWLEDGED_PER_ROUND);
    const leader = await cluster.leader();
    if (fault === 'kill') await leader.kill();
    else if (fault === 'pause') leader.pause();
    else await leader.act({ kind: 'stepDown' });
    const during = acknowledged();
    if (fault !== 'transfer') await cluster.leader((node) => node !== leader);
    await eventually('work goes on', () => acknowledged() >= during + ACKNOWLEDGED_PER_ROUND);
    if (fault === 'kill') await leader.start();
    if (fault === 'pause') leader.resume();
  }
  isOver = true;
  await Promise.all(work);
  for (const worker of workers) worker.close();
  const checked = checkText(history.map((entry) => JSON.stringify(entry)).join('\n'));
  expect(checked.result, describeCheck(checked)).toBe('ok');
  expect(checked.verdict?.counts.operations).toBeGreaterThan(6 * ACKNOWLEDGED_PER_ROUND);
});
