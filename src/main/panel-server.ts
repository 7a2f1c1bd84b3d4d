// HTTP for the window's files and a WebSocket for its calls, on loopback. The files are public; the socket wants
// the token, and both want a Host that is this machine, so that no other site can reach in through a browser.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { SOCKET_PATH, SOCKET_PROTOCOL, TOKEN_PROTOCOL_PREFIX } from '../shared/wire-messages.ts';
import type { PanelHost } from './cluster/panel-host.ts';
import { carryOverSocket, MESSAGE_BYTES_MAX } from './socket-carrier.ts';
import { contentSecurityPolicy, staticFile } from './static-files.ts';

const LOOPBACK = '127.0.0.1';
const PORT_DEFAULT = 7080;
const SOCKETS_MAX = 32;

export interface PanelServerOptions {
  host: PanelHost;
  rendererDir: string;
  /** Null: 7080, or any free one when that is taken. A port that was asked for must be free. */
  port: number | null;
}

export interface PanelServer {
  /** With the token: whoever has it may use the panel. */
  readonly url: string;
  readonly port: number;
  /** Drops all connections. */
  close(): void;
}

export async function startPanelServer(options: PanelServerOptions): Promise<PanelServer> {
  const token = randomBytes(24).toString('base64url');
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_BYTES_MAX,
    // The token's own subprotocol is never echoed.
    handleProtocols: () => SOCKET_PROTOCOL,
  });
  let port = 0;
  const server = createServer((request, response) => {
    void answer(request, response, { rendererDir: options.rendererDir, port });
  });
  server.on('upgrade', (request, socket, head) => {
    const refusal = upgradeRefusal(request, { token, port, socketsCount: sockets.clients.size });
    if (refusal !== null) return refuseUpgrade(socket, refusal);
    sockets.handleUpgrade(request, socket, head, (webSocket) => carryOverSocket(webSocket, options.host));
  });
  port = await listen(server, options.port);
  return {
    url: `http://${LOOPBACK}:${port}/?token=${token}`,
    port,
    close() {
      for (const socket of sockets.clients) socket.close(1001, 'The panel is closing.');
      server.close();
      server.closeAllConnections();
    },
  };
}

function listen(server: Server, port: number | null): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') reject(error);
      else if (port === null) listen(server, 0).then(resolve, reject);
      else reject(new Error(`Port ${port} is taken: choose another with --port, or 0 for any.`));
    });
    server.listen(port ?? PORT_DEFAULT, LOOPBACK, () => resolve((server.address() as AddressInfo).port));
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { rendererDir, port }: { rendererDir: string; port: number },
): Promise<void> {
  if (!isOwnHost(request.headers.host, port)) {
    return refuse(response, 421, 'This panel answers only to its address on this machine.');
  }
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return refuse(response, 405, 'GET and HEAD only.');
  // Not `new URL`: it throws for some request targets, and it would resolve `..` before anybody saw it.
  const path = (request.url ?? '/').split(/[?#]/, 1)[0] ?? '/';
  const { status, headers, body } = await staticFile(rendererDir, path);
  response.writeHead(status, {
    ...headers,
    'Content-Security-Policy': contentSecurityPolicy([`ws://${LOOPBACK}:${port}`, `ws://localhost:${port}`]),
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

/** `status reason` for the refusal, or null when the socket may open. */
function upgradeRefusal(
  request: IncomingMessage,
  { token, port, socketsCount }: { token: string; port: number; socketsCount: number },
): string | null {
  const { host, origin } = request.headers;
  if (request.url !== SOCKET_PATH) return '404 Not Found';
  if (!isOwnHost(host, port)) return '421 Misdirected Request';
  if (origin !== `http://${host}`) return '403 Forbidden';
  if (!carriesToken(request.headers['sec-websocket-protocol'], token)) return '401 Unauthorized';
  if (socketsCount >= SOCKETS_MAX) return '503 Service Unavailable';
  return null;
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.on('error', () => undefined);
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Another name for this address is how a foreign site would get here (DNS rebinding). */
function isOwnHost(host: string | undefined, port: number): boolean {
  return host === `${LOOPBACK}:${port}` || host === `localhost:${port}`;
}

function carriesToken(protocols: string | undefined, token: string): boolean {
  const words = (protocols ?? '').split(',').map((word) => word.trim());
  const given = words.find((word) => word.startsWith(TOKEN_PROTOCOL_PREFIX)) ?? '';
  // Hashes have one length, and comparing them takes one time.
  return timingSafeEqual(digest(given), digest(TOKEN_PROTOCOL_PREFIX + token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
