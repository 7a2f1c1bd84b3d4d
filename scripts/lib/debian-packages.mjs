// System packages of Debian and its kin: installs what a test suite needs when it may, else says what to type.
import { existsSync } from 'node:fs';
import { run } from './processes.mjs';
import { PlainError, step } from './terminal.mjs';

const INSTALL_LIMIT_MS = 300_000;

/** The shared libraries of Electron's runtime, a display without a screen, and a font to draw with. */
export const DESKTOP_PACKAGES = [
  'xvfb',
  'xauth',
  'libnss3',
  'libatk-bridge2.0-0',
  'libgtk-3-0',
  'libgbm1',
  'libasound2',
  'libdrm2',
  'libxss1',
  'libxtst6',
  'libnotify4',
  'libsecret-1-0',
  'libxshmfence1',
  'libcups2',
  'dbus',
  'fonts-liberation',
];
/** The real clients, and the real server to compare with. */
export const REDIS_PACKAGES = ['redis-server', 'redis-tools', 'python3-redis'];
export const BROWSER_PACKAGES = ['chromium', 'fonts-liberation'];

/** @param {string[]} packages */
export function installCommand(packages) {
  return `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

/** Newer releases renamed libraries whose time_t became 64 bits wide: libgtk-3-0 is libgtk-3-0t64 there. */
async function namesInThisRelease(/** @type {string[]} */ packages) {
  const names = [];
  for (const name of packages) {
    const { output } = await run('apt-cache', ['show', '--no-all-versions', `${name}t64`], {
      timeLimitMs: 20_000,
    });
    names.push(output.includes(`Package: ${name}t64`) ? `${name}t64` : name);
  }
  return names;
}

/**
 * @param {string} what for whom, in words
 * @param {string[]} packages
 * @throws {PlainError} when this is not root on Debian, or the installation failed; the message says what to type
 */
export async function installDebianPackages(what, packages) {
  const mayInstall = existsSync('/usr/bin/apt-get') && process.getuid?.() === 0;
  if (!mayInstall)
    throw new PlainError(`${what} needs system packages. As root: ${installCommand(packages)}`);
  await step(`installing system packages for ${what} (apt-get)`, async () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const options = { env, timeLimitMs: INSTALL_LIMIT_MS };
    const update = await run('apt-get', ['update', '-q'], options);
    const names = await namesInThisRelease(packages);
    const result = await run('apt-get', ['install', '-qy', '--no-install-recommends', ...names], options);
    if (result.code === 0) return;
    const tail = `${update.code === 0 ? '' : update.output}${result.output}`.trim().slice(-800);
    throw new PlainError(
      `${tail}\n${what} needs system packages that did not install: ${installCommand(packages)}`,
    );
  });
}
