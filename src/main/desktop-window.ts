// The desktop's only window and everything that keeps it in its box: sandbox, own scheme, policy, no navigation,
// no other windows, no permissions.
import { app, BrowserWindow, nativeTheme, protocol, session } from 'electron';
import { contentSecurityPolicy, staticFile } from './static-files.ts';

const SCHEME = 'quorumlab';
const ORIGIN = `${SCHEME}://panel`;

/** Set by electron-vite's development server, which serves the window with hot reload. */
const developmentUrl = app.isPackaged ? undefined : process.env.ELECTRON_RENDERER_URL;

/** Before the app is ready. */
export function registerWindowScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/** Once the app is ready: the window's files, each with the policy. */
export function serveWindowFiles(rendererDir: string): void {
  protocol.handle(SCHEME, async (request) => {
    const { host, pathname } = new URL(request.url);
    if (host !== 'panel' || request.method !== 'GET') return new Response(null, { status: 404 });
    const { status, headers, body } = await staticFile(rendererDir, pathname);
    return new Response(body, {
      status,
      headers: { ...headers, 'Content-Security-Policy': contentSecurityPolicy([]) },
    });
  });
}

/** For every web contents there may ever be: it goes nowhere, opens nothing and is allowed nothing. */
export function guardWebContents(): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-navigate', (event) => event.preventDefault());
    contents.on('will-redirect', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  });
}

export function createWindow(preloadPath: string): BrowserWindow {
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  session.defaultSession.setPermissionCheckHandler(() => false);
  const window = new BrowserWindow({
    title: 'Quorumlab',
    width: 1440,
    height: 900,
    minWidth: 1100,
    minHeight: 700,
    show: false,
    autoHideMenuBar: true,
    // What is seen before the first paint.
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#0d1117' : '#ffffff',
    webPreferences: {
      preload: preloadPath,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
      // A minimized panel must not fall behind its cluster.
      backgroundThrottling: false,
    },
  });
  window.once('ready-to-show', () => window.show());
  return window;
}

export function loadWindow(window: BrowserWindow): Promise<void> {
  return window.loadURL(developmentUrl ?? `${ORIGIN}/index.html`);
}

/** Whether a frame with this address is the panel's own page. */
export function isWindowUrl(url: string): boolean {
  const allowed = developmentUrl === undefined ? ORIGIN : new URL(developmentUrl).origin;
  return url === allowed || url.startsWith(`${allowed}/`);
}
