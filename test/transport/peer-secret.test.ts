// Peers that share a secret: who knows it is let in, everybody else is refused on both sides, and nothing that
// was said once opens a door twice.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { PeerDecoder } from '../../engine/protocol/peer-decoder.ts';
import { encodeMessage } from '../../engine/protocol/peer-frames.ts';
import { encodeHandshake, type Handshake } from '../../engine/protocol/peer-handshake.ts';
import { drawNonce, proofOf, readAnswer } from '../../engine/transport/peer-secret.ts';
import { closeAllPeers, heartbeat, isConnected, openPeer, openPeers, type TestPeer } from './peer-fixture.ts';
import { waitUntil } from './wait-until.ts';

const SECRET = 'the secret of this cluster';
const clusterId = 'test-cluster';
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await closeAllPeers();
});

async function pair(mine: string | null, theirs: string | null): Promise<[TestPeer, TestPeer]> {
  const one = await openPeer(1, { secret: mine });
  const two = await openPeer(2, { secret: theirs });
  one.transport.addPeer(two.address);
  two.transport.addPeer(one.address);
  return [one, two];
}

/** A stranger at the port, which says what it likes. */
class Stranger {
  readonly socket: Socket;
  #decoder = new PeerDecoder();
  closed = false;

  constructor(peer: TestPeer) {
    this.socket = connect({ host: '127.0.0.1', port: peer.address.port });
    sockets.push(this.socket);
    this.socket.on('error', () => {});
    this.socket.on('data', (bytes) => void this.#decoder.push(bytes));
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  say(authentication: Uint8Array, from = 2): void {
    this.socket.write(encodeHandshake({ clusterId, from, to: 1, authentication, refusal: null }));
  }

  async heard(): Promise<Handshake> {
    await waitUntil('an answer', () => this.#decoder.handshake !== null);
    const { handshake } = this.#decoder;
    if (handshake === null) throw new Error('no answer');
    return handshake;
  }

  /** After the challenge: the other side's next words. */
  forget(): void {
    this.#decoder = new PeerDecoder();
  }
}

describe('a peer secret', () => {
  test('lets those in who know it, and messages go both ways', async () => {
    const [one, two] = await openPeers(2, { secret: SECRET });
    await waitUntil('both connected', () => isConnected(one, 2) && isConnected(two, 1));
    one.transport.send([heartbeat(1, 2, 1)]);
    two.transport.send([heartbeat(2, 1, 1)]);
    await waitUntil(
      'both arrived',
      () => one.listener.messages.length > 0 && two.listener.messages.length > 0,
    );
  });

  test.each([
    ['another one', SECRET, 'a different secret', 'has another secret'],
    ['none on the other side', SECRET, null, 'peerSecret'],
    ['none on this side', null, SECRET, 'peerSecret'],
  ])('%s: refused, counted, and said so', async (_what, mine, theirs, words) => {
    const [one, two] = await pair(mine, theirs);
    const said = () => [...one.log.lines, ...two.log.lines].join('\n');
    await waitUntil('somebody is refused', () => said().includes(words));
    expect([isConnected(one, 2), isConnected(two, 1)]).toEqual([false, false]);
    expect([one.listener.connected, two.listener.connected]).toEqual([[], []]);
  });

  test('is proven by who dials as well: a nonce alone, or a made-up proof, opens nothing', async () => {
    const one = await openPeer(1, { secret: SECRET, peers: [{ id: 2, host: '127.0.0.1', port: 9 }] });
    const stranger = new Stranger(one);
    await once(stranger.socket, 'connect');
    stranger.say(drawNonce());
    await stranger.heard();
    stranger.forget();
    stranger.say(new Uint8Array(32).fill(7));
    const { refusal } = await stranger.heard();
    expect(refusal).toContain('did not prove');
    await waitUntil('it is closed', () => stranger.closed);
    expect(one.listener.connected).toEqual([]);
  });

  test('a proof that was overheard is worth nothing on another connection, and none for another node', async () => {
    const one = await openPeer(1, { secret: SECRET, peers: [{ id: 2, host: '127.0.0.1', port: 9 }] });
    const nonce = drawNonce();
    const first = new Stranger(one);
    await once(first.socket, 'connect');
    first.say(nonce);
    const answer = readAnswer((await first.heard()).authentication);
    if (answer === null) throw new Error('no challenge');
    const exchange = { clusterId, dialer: { id: 2, nonce }, acceptor: { id: 1, nonce: answer.nonce } };
    const proof = proofOf(SECRET, 'dialer', exchange);

    const second = new Stranger(one);
    await once(second.socket, 'connect');
    second.say(nonce);
    await second.heard();
    second.forget();
    second.say(proof);
    expect((await second.heard()).refusal).toContain('did not prove');

    first.forget();
    first.say(proof, 3);
    expect((await first.heard()).refusal).toContain('node 3');
    expect(one.listener.connected).toEqual([]);
  });

  test('messages before the proof are heard by nobody', async () => {
    const one = await openPeer(1, { secret: SECRET, peers: [{ id: 2, host: '127.0.0.1', port: 9 }] });
    const stranger = new Stranger(one);
    await once(stranger.socket, 'connect');
    stranger.say(drawNonce());
    await stranger.heard();
    const chunks: Uint8Array[] = [];
    encodeMessage(heartbeat(2, 1, 1), chunks);
    for (const chunk of chunks) stranger.socket.write(chunk);
    await waitUntil('it is closed', () => stranger.closed);
    expect(one.listener.messages).toEqual([]);
  });
});
