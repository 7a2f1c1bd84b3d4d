// Two projects: `desktop` drives the real Electron app, `browser` the same panel served to Chromium.
// `npm run e2e` runs both with all they need; the fixtures are in test/e2e/fixtures.ts.
import { defineConfig } from '@playwright/test';

/** Quiet and offline, and able to run as root in CI. */
const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const BROWSER_SPECS = /[\\/]test[\\/]e2e[\\/]browser[\\/].*\.spec\.ts$/;

export default defineConfig({
  testDir: 'test/e2e',
  outputDir: 'test-results/playwright',
  workers: 1,
  fullyParallel: false,
  forbidOnly: Boolean(process.env.CI),
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [
    ['list'],
    ['json', { outputFile: process.env.QUORUMLAB_E2E_REPORT ?? 'test-results/reports/e2e.json' }],
  ],
  projects: [
    { name: 'desktop', testMatch: '**/*.spec.ts', testIgnore: BROWSER_SPECS },
    {
      name: 'browser',
      testMatch: BROWSER_SPECS,
      use: {
        browserName: 'chromium',
        viewport: { width: 1440, height: 900 },
        trace: { mode: 'retain-on-failure', screenshots: false, snapshots: true },
        screenshot: 'only-on-failure',
        launchOptions: {
          executablePath: process.env.QUORUMLAB_CHROMIUM ?? '/usr/bin/chromium',
          args: CHROMIUM_ARGS,
        },
      },
    },
  ],
});
