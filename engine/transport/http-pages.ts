// The HTTP pages of the client port: /metrics, /livez, /readyz and /status. Routing and formats only; what
// they say comes from the node. They are for tools on this machine: no CORS header, nothing changes state.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface HealthCheck {
  name: string;
  passed: boolean;
  /** Why not, for people. */
  message?: string | undefined;
}

export interface HttpPages {
  /** In the text format of Prometheus. */
  metrics(): Promise<{ contentType: string; body: string }>;
  /** Is the process worth keeping? */
  live(): readonly HealthCheck[];
  /** Can it serve requests now? */
  ready(): readonly HealthCheck[];
  /** Becomes JSON. */
  status(): unknown;
}

interface Page {
  statusCode: number;
  contentType: string;
  body: string;
  allow?: string;
}

const TEXT = 'text/plain; charset=utf-8';
const SOCKET_TIMEOUT_MS = 30_000;

/**
 * A server that listens nowhere: connections are handed to it with `emit('connection', socket)`. It reads
 * no bodies, and closes connections on which nothing happened for half a minute.
 */
export function createPagesServer(pages: HttpPages): Server {
  const server = createServer({ keepAliveTimeout: 5000, maxHeaderSize: 8 * 1024 }, (request, response) => {
    void answer(pages, request, response);
  });
  server.setTimeout(SOCKET_TIMEOUT_MS);
  server.on('clientError', (_error, socket) => {
    if (socket.writable)
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.destroy();
  });
  return server;
}

async function answer(pages: HttpPages, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let page: Page;
  try {
    page = await findPage(pages, request);
  } catch (error) {
    page = {
      statusCode: 500,
      contentType: TEXT,
      body: `${error instanceof Error ? error.message : error}\n`,
    };
  }
  const body = Buffer.from(page.body);
  response.writeHead(page.statusCode, {
    'Content-Type': page.contentType,
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(page.allow === undefined ? {} : { Allow: page.allow }),
    // A body that nobody reads must not be taken for the next request.
    ...(request.method === 'GET' || request.method === 'HEAD' ? {} : { Connection: 'close' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function findPage(pages: HttpPages, request: IncomingMessage): Promise<Page> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { statusCode: 405, contentType: TEXT, body: 'only GET and HEAD\n', allow: 'GET, HEAD' };
  }
  const [path, query] = (request.url ?? '/').split('?', 2);
  const verbose = new URLSearchParams(query).has('verbose');
  switch (path) {
    case '/metrics': {
      const { contentType, body } = await pages.metrics();
      return { statusCode: 200, contentType, body };
    }
    case '/livez':
      return healthPage({ name: 'livez', checks: pages.live(), verbose });
    case '/readyz':
      return healthPage({ name: 'readyz', checks: pages.ready(), verbose });
    case '/status':
      return {
        statusCode: 200,
        contentType: 'application/json; charset=utf-8',
        body: `${JSON.stringify(pages.status())}\n`,
      };
    default:
      return {
        statusCode: 404,
        contentType: TEXT,
        body: 'try /metrics, /livez, /readyz?verbose or /status\n',
      };
  }
}

/** 200 or 503. A failure lists every check even when not asked to be verbose, as in Kubernetes and etcd. */
function healthPage(health: { name: string; checks: readonly HealthCheck[]; verbose: boolean }): Page {
  const passed = health.checks.every((check) => check.passed);
  if (passed && !health.verbose) return { statusCode: 200, contentType: TEXT, body: 'ok\n' };
  const lines = health.checks.map((check) =>
    check.passed ? `[+]${check.name} ok` : `[-]${check.name} failed: ${check.message ?? 'no reason given'}`,
  );
  lines.push(`${health.name} check ${passed ? 'passed' : 'failed'}`);
  return { statusCode: passed ? 200 : 503, contentType: TEXT, body: `${lines.join('\n')}\n` };
}
