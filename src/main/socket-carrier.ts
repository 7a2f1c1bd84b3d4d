// The contract over one WebSocket of the browser host. What comes in is parsed, what goes out does not pile up.
import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import { isCallChannel, PUSH_CHANNELS } from '../shared/channels.ts';
import type { AnswerMessage, PushMessage } from '../shared/wire-messages.ts';
import type { PanelHost } from './cluster/panel-host.ts';

/** One call; the console's longest line fits. */
export const MESSAGE_BYTES_MAX = 32 * 1024 * 1024;
/** A window that falls behind by so much misses batches, sees the hole, and asks for the whole view. */
const QUEUED_BYTES_MAX = 4 * 1024 * 1024;
const CALLS_PENDING_MAX = 200;

const callMessage = z.strictObject({
  id: z.int().min(0),
  channel: z.string().max(100),
  argument: z.unknown().optional(),
});

export function carryOverSocket(socket: WebSocket, host: PanelHost): void {
  let pendingCount = 0;
  const send = (message: AnswerMessage | PushMessage) => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
  };
  const unsubscribes = PUSH_CHANNELS.map((push) =>
    host.on(push, (payload) => {
      if (socket.bufferedAmount <= QUEUED_BYTES_MAX) send({ push, payload });
    }),
  );
  socket.on('message', async (data) => {
    const call = parseCall(data);
    if (call === null) {
      socket.close(1008, 'This is not a call.');
      return;
    }
    if (pendingCount >= CALLS_PENDING_MAX) {
      send({ id: call.id, ok: false, message: 'Too many calls are waiting already.' });
      return;
    }
    pendingCount += 1;
    send(await answer(host, call));
    pendingCount -= 1;
  });
  socket.on('close', () => {
    for (const unsubscribe of unsubscribes) unsubscribe();
  });
  // `close` follows; what a window did wrong is no reason to stop.
  socket.on('error', () => undefined);
}

function parseCall(data: RawData): z.infer<typeof callMessage> | null {
  try {
    const parsed = callMessage.safeParse(JSON.parse(data.toString()));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

async function answer(host: PanelHost, call: z.infer<typeof callMessage>): Promise<AnswerMessage> {
  const { id, channel, argument } = call;
  try {
    if (!isCallChannel(channel)) throw new Error(`There is no call "${channel}".`);
    return { id, ok: true, result: await host.call(channel, argument) };
  } catch (error) {
    return { id, ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}
