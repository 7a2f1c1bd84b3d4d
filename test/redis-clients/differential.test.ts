// The same commands to a real redis-server and to a node: the replies must be equal, byte for byte. On the leader and,
// through its forwarding, on a follower; in RESP 2 and RESP 3.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { elementsOf } from '../../engine/protocol/resp-reply-reader.ts';
import { TestCluster } from '../cluster/harness.ts';
import { roundsOf, seededChoice } from '../cluster/seed.ts';
import { CommandGenerator } from './command-generator.ts';
import { RawRespClient } from './raw-client.ts';
import { hasRedis7, RedisServer } from './redis-server.ts';

const COMMANDS = roundsOf('QUORUMLAB_DIFFERENTIAL_COMMANDS', 6_000);
const PIPELINE_MAX = 40;
/** Nobody fails over here because the machine is busy. */
const CALM = { electionTimeoutMs: [2000, 4000], heartbeatIntervalMs: 100 };

/** Redis lists keys in the order of its hash table, and both count down between the two replies. */
function comparable(argv: readonly string[], reply: string): string {
  const name = argv[0]?.toLowerCase();
  if (name === 'keys') return elementsOf(reply)?.sort().join('') ?? reply;
  if (name === 'scan') {
    const [cursor, keys] = elementsOf(reply) ?? [];
    return keys === undefined ? reply : `${cursor}${elementsOf(keys)?.sort().join('')}`;
  }
  // Who answers, and since when, differs.
  if (name === 'hello' && /^[*%]/.test(reply)) return reply.slice(0, 4);
  return reply;
}

function isClose(argv: readonly string[], ours: string, theirs: string): boolean {
  if (!/^(ttl|expiretime)$/i.test(argv[0] as string)) return false;
  return Math.abs(Number.parseInt(ours.slice(1), 10) - Number.parseInt(theirs.slice(1), 10)) <= 1;
}

describe.skipIf(!hasRedis7())('the same commands to redis-server 7.0 and to this store', () => {
  let cluster: TestCluster;
  let redis: RedisServer;

  beforeAll(async () => {
    [cluster, redis] = await Promise.all([TestCluster.start({ config: CALM }), RedisServer.start()]);
  });
  afterAll(async () => {
    await Promise.all([cluster?.stop(), redis?.stop()]);
  });

  test.each([
    ['the leader', 2],
    ['the leader', 3],
    ['a follower', 2],
    ['a follower', 3],
  ])('%s answers as Redis does, RESP %i', async (where, version) => {
    const choice = seededChoice('test/redis-clients/differential.test.ts');
    const node = where === 'the leader' ? await cluster.leader() : (await cluster.followers())[0];
    const ours = new RawRespClient(node?.port ?? 0);
    const theirs = new RawRespClient(redis.socketPath);
    const generator = new CommandGenerator(choice);
    for (const client of [ours, theirs]) await client.pipeline([['HELLO', String(version)], ['FLUSHALL']]);
    const history: string[][] = [];
    for (let done = 0; done < COMMANDS / 4; ) {
      const commands = Array.from({ length: 1 + choice.integer(PIPELINE_MAX) }, () =>
        generator.next(),
      ).flat();
      const [mine, real] = await Promise.all([ours.pipeline(commands), theirs.pipeline(commands)]);
      for (const [at, argv] of commands.entries()) {
        history.push(argv);
        const [a, b] = [mine[at] as string, real[at] as string];
        if (isClose(argv, a, b)) continue;
        const context = history
          .slice(-12)
          .map((words) => JSON.stringify(words))
          .join('\n');
        expect(
          comparable(argv, a),
          `seed ${choice.seed}, RESP ${version}, the last command of:\n${context}`,
        ).toBe(comparable(argv, b));
      }
      done += commands.length;
    }
    ours.close();
    theirs.close();
  });
});
