// The window's files for both hosts: a path of a URL in, a file of one folder out, and nothing outside of it.
import { readFile, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';

export interface StaticAnswer {
  status: 200 | 400 | 404;
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer>;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

/**
 * The policy of the window: its own files and its own socket, nothing remote, nothing evaluated.
 * Inline styles stay allowed: the dialog, scroll and notice libraries write style elements at run time. Inline
 * scripts are not.
 */
export function contentSecurityPolicy(connectSources: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src ${["'self'", ...connectSources].join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** `urlPath` as it stands in the request, still encoded, without the query. Never throws. */
export async function staticFile(rootDir: string, urlPath: string): Promise<StaticAnswer> {
  let path: string;
  try {
    path = decodeURIComponent(urlPath);
  } catch {
    return refusal(400, 'This path is not properly encoded.');
  }
  if (path.includes('\0') || path.includes('\\')) return refusal(400, 'This path cannot be.');
  if (path.split('/').some((part) => part === '..' || part === '.'))
    return refusal(404, 'There is no such file.');
  try {
    const root = await realpath(rootDir);
    // A link inside the folder must not lead out of it either.
    const file = await realpath(join(root, path.endsWith('/') ? `${path}index.html` : path));
    if (!file.startsWith(root + sep)) return refusal(404, 'There is no such file.');
    const body = await readFile(file);
    return { status: 200, headers: headersFor(file), body: new Uint8Array(body) };
  } catch {
    return refusal(404, 'There is no such file.');
  }
}

function headersFor(file: string): Record<string, string> {
  const extension = extname(file);
  return {
    'Content-Type': TYPES[extension] ?? 'application/octet-stream',
    'X-Content-Type-Options': 'nosniff',
    // The names of built scripts and styles carry a hash; the page itself does not.
    'Cache-Control': extension === '.js' || extension === '.css' ? 'max-age=31536000, immutable' : 'no-store',
  };
}

function refusal(status: 400 | 404, text: string): StaticAnswer {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' };
  return { status, headers, body: new TextEncoder().encode(`${text}\n`) };
}
