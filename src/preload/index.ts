// The bridge of the sandboxed window: the contract's channels over Electron's IPC, and nothing else.
import { contextBridge, ipcRenderer } from 'electron';
import { isCallChannel, isPushChannel } from '../shared/channels.ts';
import type { Bridge } from '../shared/contract.ts';

const bridge: Bridge = {
  async call(channel, argument) {
    if (!isCallChannel(channel)) throw new Error(`There is no call "${String(channel)}".`);
    // Electron wraps an error of the other side in words of its own; so the answer carries it as a value.
    const answer = await ipcRenderer.invoke(channel, argument);
    if (!answer.ok) throw new Error(answer.message);
    return answer.result;
  },
  on(channel, listener) {
    if (!isPushChannel(channel)) throw new Error(`There is no push "${String(channel)}".`);
    const forward = (_event: unknown, payload: Parameters<typeof listener>[0]) => listener(payload);
    ipcRenderer.on(channel, forward);
    return () => {
      ipcRenderer.removeListener(channel, forward);
    };
  },
};

contextBridge.exposeInMainWorld('quorumlab', bridge);
