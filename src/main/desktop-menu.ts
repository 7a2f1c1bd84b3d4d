// The menu: what a platform expects for editing and zooming, and nothing that the panel has itself.
import { app, Menu } from 'electron';

export function installMenu(): void {
  const development = app.isPackaged
    ? []
    : [{ role: 'toggleDevTools' } as const, { role: 'reload' } as const];
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([
      ...(process.platform === 'darwin' ? [{ role: 'appMenu' } as const] : []),
      { role: 'editMenu' },
      {
        label: 'View',
        submenu: [
          { role: 'resetZoom' },
          { role: 'zoomIn' },
          { role: 'zoomOut' },
          { role: 'togglefullscreen' },
          ...development,
        ],
      },
      { role: 'windowMenu' },
    ]),
  );
}
