// The members of a cluster as one flag: `1=host:peerPort/host:clientPort,2=…`.
import { InvalidArgumentError } from 'commander';
import { splitAddress } from '../client/node-link.ts';

export interface PeerFlag {
  id: number;
  peer: string;
  client: string;
}

/** Throws commander's InvalidArgumentError with the part that is wrong. */
export function parsePeers(text: string): PeerFlag[] {
  return text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(parsePeer);
}

function parsePeer(part: string): PeerFlag {
  const match = /^\s*(\d+)=([^/]+)\/(.+?)\s*$/.exec(part);
  const [id, peer, client] = [Number(match?.[1]), match?.[2], match?.[3]];
  if (peer === undefined || client === undefined || id < 1) {
    throw new InvalidArgumentError(`"${part}" must be id=host:peerPort/host:clientPort`);
  }
  for (const address of [peer, client]) {
    try {
      splitAddress(address);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  }
  return { id, peer, client };
}
