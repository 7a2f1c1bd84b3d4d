// The same panel from the browser host, in Chromium: the short way through it.
import { expect } from '@playwright/test';
import { test } from '../fixtures.ts';
import { PanelPage } from '../panel-page.ts';

test('three nodes come up, a key survives the death of the leader', async ({ page, panelUrl }) => {
  await page.goto(panelUrl);
  const panel = new PanelPage(page);
  const before = await panel.ready();
  expect(await panel.run('set survivor yes')).toMatch(/OK/);
  await panel.button(`Kill n${before.nodeId}`).click();
  await expect(panel.node(before.nodeId)).toHaveAttribute('data-state', 'crashed');
  const after = await panel.leader();
  expect(after.term).toBeGreaterThan(before.term);
  expect(await panel.run('get survivor')).toContain('"yes"');
  await expect(page.getByTestId('failover-gap')).toHaveText(/^[\d.,]+ (ms|s)$/);
  await panel.button(`Restart n${before.nodeId}`).click();
  await panel.ready();
});

test('the token leaves the address, and a reload still has it', async ({ page, panelUrl }) => {
  await page.goto(panelUrl);
  const panel = new PanelPage(page);
  await panel.ready();
  expect(page.url()).not.toContain('token');
  await page.reload();
  await panel.ready();
});

test('without the token nothing of the cluster is shown, and the page says what to open', async ({
  page,
  panelUrl,
}) => {
  await page.goto(new URL('/', panelUrl).href);
  await expect(page.getByText(/Open the address that the terminal printed/)).toBeVisible();
  await expect(page.getByTestId('node-1')).toHaveCount(0);
});
