// A node that others than this machine can reach asks who they are.
import { describe, expect, test } from 'vitest';
import { ConfigError, parseNodeConfig } from '../../engine/node/node-config.ts';

function parse(hosts: { client?: string; peer?: string }, secrets: object = {}) {
  return parseNodeConfig({
    clusterId: 'test',
    nodeId: 1,
    dataDir: 'n1',
    client: { port: 1, ...(hosts.client === undefined ? {} : { host: hosts.client }) },
    peer: { port: 2, ...(hosts.peer === undefined ? {} : { host: hosts.peer }) },
    peers: [{ id: 1, client: 'h:1', peer: 'h:2' }],
    ...secrets,
  });
}

const password = 'p';
const peerSecret = 'sixteen letters!';

describe('listening', () => {
  test.each(['127.0.0.1', '127.9.9.9', 'localhost', '::1'])('on %s needs no secrets', (host) => {
    expect(() => parse({ client: host, peer: host })).not.toThrow();
  });

  test.each<[string, object, string]>([
    ['0.0.0.0', {}, 'QUORUMLAB_PASSWORD'],
    ['0.0.0.0', { password }, 'QUORUMLAB_PEER_SECRET'],
    ['::', { peerSecret }, 'QUORUMLAB_PASSWORD'],
    ['192.168.1.5', { password, peerSecret: 'short' }, 'peerSecret'],
    ['example.org', {}, 'QUORUMLAB_PEER_SECRET'],
    ['127.0.0.1.example.org', {}, 'QUORUMLAB_PASSWORD'],
  ])('on %s with %j is refused, naming %s', (host, secrets, named) => {
    expect(() => parse({ client: host, peer: host }, secrets)).toThrow(ConfigError);
    expect(() => parse({ client: host, peer: host }, secrets)).toThrow(named);
  });

  test('beyond loopback takes both, each for its port', () => {
    expect(() => parse({ client: '0.0.0.0', peer: '0.0.0.0' }, { password, peerSecret })).not.toThrow();
    expect(() => parse({ client: '0.0.0.0' }, { password })).not.toThrow();
    expect(() => parse({ peer: '0.0.0.0' }, { peerSecret })).not.toThrow();
  });
});
