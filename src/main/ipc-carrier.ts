// The contract over Electron's IPC. Only the panel's own page, in the main frame of the one window, is answered;
// anybody else gets an error.
import { type BrowserWindow, type IpcMainInvokeEvent, ipcMain } from 'electron';
import { CALL_CHANNELS } from '../shared/channels.ts';
import type { PanelHost } from './cluster/panel-host.ts';
import { isWindowUrl } from './desktop-window.ts';

type Answer = { ok: true; result: unknown } | { ok: false; message: string };

/** Calls wait for the host while it opens; when it cannot, each is told why. */
export function registerCalls(window: BrowserWindow, host: Promise<PanelHost>): void {
  for (const channel of CALL_CHANNELS) {
    ipcMain.handle(channel, async (event, argument: unknown): Promise<Answer> => {
      try {
        if (!isFromPanel(event, window))
          throw new Error(`${channel} was refused: it is not from the panel's page.`);
        return { ok: true, result: await (await host).call(channel, argument) };
      } catch (error) {
        return { ok: false, message: error instanceof Error ? error.message : String(error) };
      }
    });
  }
}

/** Until the window is gone. */
export function forwardBatches(window: BrowserWindow, host: PanelHost): void {
  const unsubscribe = host.on('cluster:batch', (batch) => {
    if (!window.isDestroyed()) window.webContents.send('cluster:batch', batch);
  });
  window.once('closed', unsubscribe);
}

function isFromPanel(event: IpcMainInvokeEvent, window: BrowserWindow): boolean {
  if (window.isDestroyed() || event.sender !== window.webContents) return false;
  const frame = event.senderFrame;
  return frame !== null && frame === window.webContents.mainFrame && isWindowUrl(frame.url);
}
