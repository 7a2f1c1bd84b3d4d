// The dialogues of docs/json-lines.md, word for word, with a real node; `…` stands for a number.
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../main/wait-until.ts';
import { type InProcessCluster, startCluster } from '../node/in-process-cluster.ts';

const page = await readFile(new URL('../../docs/json-lines.md', import.meta.url), 'utf8');
const dialogues = [...page.matchAll(/^```text\n([\s\S]*?)^```$/gm)].map(([, text = '']) =>
  text.trim().split('\n'),
);

let cluster: InProcessCluster;
let socket: Socket;
let heard = '';

beforeAll(async () => {
  cluster = await startCluster(1);
  const { node } = await cluster.elected();
  socket = connect({ host: '127.0.0.1', port: Number(node.clientAddress.split(':')[1]) });
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard += text;
  });
});

afterAll(async () => {
  socket.destroy();
  await cluster.close();
});

function pattern(line: string): RegExp {
  const literal = line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll('…', '\\d+')}$`);
}

test.each(dialogues.map((lines) => [lines[0], lines] as const))('%s', async (_first, lines) => {
  const progress = /^\{[^\n]*"event":"progress"[^\n]*\}\n/gm;
  for (let at = 0; at < lines.length; ) {
    heard = '';
    socket.write(`${lines[at]?.slice(2)}\n`);
    const answers: string[] = [];
    for (at++; lines[at]?.startsWith('< ') === true; at++) answers.push(lines[at]?.slice(2) ?? '');
    const said = () => heard.replace(progress, '').split('\n').slice(0, -1);
    await waitUntil('so many lines', () => said().length >= answers.length);
    // An event may stand before or behind the reply to the write that it tells of.
    expect(said().toSorted()).toEqual(
      answers.toSorted().map((answer) => expect.stringMatching(pattern(answer))),
    );
  }
});
