// Builds everything into out/: the main process with its three sibling programs (browser host, engine node,
// command line), the sandboxed preload, and the window. All libraries are bundled: out/ runs without node_modules.
import { chmodSync } from 'node:fs';
import { join, resolve } from 'node:path';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type UserConfig } from 'electron-vite';
import type { Plugin } from 'vite';

const root = import.meta.dirname;

/** Fixed names: the supervisor starts `out/main/engine-node.js` by path, on both hosts. */
const MAIN_ENTRIES = {
  index: resolve(root, 'src/main/index.ts'),
  serve: resolve(root, 'src/main/serve.ts'),
  'engine-node': resolve(root, 'engine/node/main.ts'),
  cli: resolve(root, 'engine/cli/main.ts'),
};

/** The command line is started as a program of its own. */
function executableCli(): Plugin {
  return {
    name: 'quorumlab:executable-cli',
    writeBundle(options, bundle) {
      if (options.dir && 'cli.js' in bundle) chmodSync(join(options.dir, 'cli.js'), 0o755);
    },
  };
}

const main: UserConfig['main'] = {
  plugins: [executableCli()],
  build: {
    // The oldest host: Node.js 20.19 runs the browser host, and Electron 33 brings nearly the same.
    target: 'node20.19',
    externalizeDeps: false,
    outDir: resolve(root, 'out/main'),
    // For profiles: nothing in the bundles points at them.
    sourcemap: 'hidden',
    rolldownOptions: {
      input: MAIN_ENTRIES,
      // The optional native helpers of ws: absent here, and ws does without.
      external: ['bufferutil', 'utf-8-validate'],
      output: {
        format: 'es',
        entryFileNames: '[name].js',
        chunkFileNames: 'chunks/[name]-[hash].js',
        banner: (chunk) => (chunk.isEntry && chunk.name === 'cli' ? '#!/usr/bin/env node' : ''),
      },
    },
  },
};

const preload: UserConfig['preload'] = {
  build: {
    target: 'node20.19',
    externalizeDeps: false,
    outDir: resolve(root, 'out/preload'),
    rolldownOptions: {
      input: { index: resolve(root, 'src/preload/index.ts') },
      // A sandboxed preload must be one CommonJS file.
      output: { format: 'cjs', entryFileNames: '[name].cjs' },
    },
  },
};

const renderer: UserConfig['renderer'] = {
  root: resolve(root, 'src/renderer'),
  plugins: [react(), tailwindcss()],
  server: { host: '127.0.0.1' },
  build: {
    target: 'chrome130',
    outDir: resolve(root, 'out/renderer'),
    emptyOutDir: true,
    minify: true,
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { input: { index: resolve(root, 'src/renderer/index.html') } },
  },
};

export default defineConfig({ main, preload, renderer });
