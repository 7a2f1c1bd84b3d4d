// Stands in for Electron's own default_app.asar, which packaged runtimes lack: makes `electron [options] FOLDER` start
// the app in FOLDER. Packed into the runtime by electron-from-npm.mjs. Top-level await holds `ready` back meanwhile.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { app } from 'electron';

/** Reads `-r MODULE` (any number) and the first argument that is no option. */
function parseArguments(args) {
  const modules = [];
  for (let position = 0; position < args.length; position++) {
    const arg = args[position];
    if (arg === '-r' || arg === '--require') modules.push(args[++position]);
    else if (arg.startsWith('--app=')) return { modules, target: arg.slice('--app='.length) };
    else if (!arg.startsWith('-')) return { modules, target: arg };
  }
  return { modules, target: undefined };
}

/** Gives the app its own name, version and path, and returns the file to load. */
function adopt(target) {
  const folder = resolve(target);
  const manifestFile = join(folder, 'package.json');
  if (!existsSync(manifestFile)) {
    app.setAppPath(resolve(folder, '..'));
    return folder;
  }
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
  if (manifest.version) app.setVersion(manifest.version);
  app.setName(manifest.productName ?? manifest.name ?? app.getName());
  app.setAppPath(folder);
  return join(folder, manifest.main ?? 'index.js');
}

const { modules, target } = parseArguments(process.argv.slice(1));
Object.defineProperty(process, 'defaultApp', { value: true, enumerable: true });
const requireFromHere = createRequire(join(process.cwd(), 'electron-default-app.js'));
for (const module of modules) requireFromHere(module);

if (target === undefined) {
  console.error('This Electron runtime needs the folder of an app: electron [options] FOLDER');
  app.exit(2);
} else {
  try {
    await import(pathToFileURL(adopt(target)).href);
  } catch (error) {
    console.error(`The app in ${target} could not be loaded.\n${error?.stack ?? error}`);
    app.exit(1);
  }
}
