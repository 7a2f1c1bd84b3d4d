// A bridge to a cluster that a test tells what happens: the contract over memory, with the real reducer behind
// `cluster:view`. Calls are kept for the test to look at and answered by what it registered.
import type { ClusterItem, ClusterView } from '../../src/shared/cluster-view.ts';
import type {
  AppInfo,
  Bridge,
  CallArgument,
  CallChannel,
  CallResult,
  PushChannel,
  Pushes,
} from '../../src/shared/contract.ts';
import { reduceBatch } from '../../src/shared/reduce-batch.ts';
import { START } from './sample-view.ts';

const INFO: AppInfo = {
  name: 'Quorumlab',
  version: '0.0.0',
  host: 'browser',
  platform: 'test',
  runtime: 'memory',
  dataDir: '/data',
  ephemeral: true,
};

type Answers = { [C in CallChannel]?: (argument: CallArgument<C>) => CallResult<C> | Promise<CallResult<C>> };

export class MemoryBridge implements Bridge {
  view: ClusterView;
  readonly calls: { channel: CallChannel; argument: unknown }[] = [];
  readonly answers: Answers = {};
  /** While set, every call fails with it. */
  broken: string | null = null;
  readonly #listeners = new Set<(batch: Pushes['cluster:batch']) => void>();

  constructor(view: ClusterView) {
    this.view = view;
  }

  async call<C extends CallChannel>(channel: C, argument: CallArgument<C>): Promise<CallResult<C>> {
    this.calls.push({ channel, argument });
    if (this.broken !== null) throw new Error(this.broken);
    const answer = this.answers[channel];
    if (answer !== undefined) return answer(argument);
    const known: { [K in CallChannel]?: unknown } = { 'cluster:view': this.view, 'app:info': INFO };
    return known[channel] as CallResult<C>;
  }

  on<P extends PushChannel>(_channel: P, listener: (payload: Pushes[P]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What the host does when something happens: reduce it and push it. */
  push(...items: ClusterItem[]): void {
    const batch = { sequence: this.view.sequence + 1, at: START, dropped: 0, items };
    this.view = reduceBatch(this.view, batch);
    this.send(batch);
  }

  /** A batch as it is, whatever its sequence. */
  send(batch: Pushes['cluster:batch']): void {
    for (const listener of this.#listeners) listener(batch);
  }

  asked(channel: CallChannel): unknown[] {
    return this.calls.filter((call) => call.channel === channel).map(({ argument }) => argument);
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }
}
