// Three suites: `unit` in Node.js, `renderer` in jsdom, `cluster` with real processes, sockets and files.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const UNIT_FOLDERS = [
  'raft',
  'interaction',
  'kv',
  'protocol',
  'storage',
  'transport',
  'node',
  'client',
  'cli',
  'checker',
  'simulation',
  'main',
  'shared',
  'scripts',
];

export default defineConfig({
  test: {
    passWithNoTests: true,
    projects: [
      {
        test: {
          name: 'unit',
          environment: 'node',
          include: [`test/{${UNIT_FOLDERS.join(',')}}/**/*.test.ts`],
          testTimeout: 20_000,
        },
      },
      {
        plugins: [react()],
        test: {
          name: 'renderer',
          environment: 'jsdom',
          include: ['test/renderer/**/*.test.{ts,tsx}'],
        },
      },
      {
        test: {
          name: 'cluster',
          environment: 'node',
          include: ['test/cluster/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
