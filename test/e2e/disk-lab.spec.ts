// The disk-fault lab as a person uses it: fill, corrupt, cut the power, snapshot, wipe; and what the panel tells.
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Locator, type Page } from '@playwright/test';
import { test } from './fixtures.ts';
import { PanelPage } from './panel-page.ts';

const SLOW = { timeout: 20_000 };

async function choose(panel: PanelPage, nodeId: number, ...path: (string | RegExp)[]): Promise<void> {
  await panel.button(`More for n${nodeId}`).click();
  for (const name of path) await panel.page.getByRole('menuitem', { name }).click();
  await expect(panel.page.getByRole('menu')).toHaveCount(0);
}

async function inspect(panel: PanelPage, nodeId: number): Promise<Locator> {
  await panel.button(`Inspect n${nodeId}`).click();
  return panel.page.getByTestId('inspector');
}

test('fill the leader: the alarm shows, another node leads, healing clears it', async ({ window }) => {
  const panel = new PanelPage(window);
  const before = await panel.ready();
  await panel.run('load 100 --clients 4');
  await choose(panel, before.nodeId, 'Disk', /^Fill the disk/);
  const inspector = await inspect(panel, before.nodeId);
  await expect(inspector.getByTestId('alarms')).toContainText(/disk is full/, SLOW);
  await expect.poll(async () => (await panel.leader()).nodeId, SLOW).not.toBe(before.nodeId);
  await expect(
    inspector.getByRole('button', { name: /^Remove fault: write fails \(ENOSPC\)/ }),
  ).toBeVisible();
  await panel.run('load stop');
  expect(await panel.run('set while-full yes')).toMatch(/OK/);
  await window.getByRole('button', { name: 'Heal all' }).click();
  await expect(inspector.getByTestId('alarms')).toHaveCount(0, SLOW);
  await expect(window.getByTestId('health')).toHaveText(/Healthy/, SLOW);
  await window.getByRole('tab', { name: 'Events' }).click();
  await expect(window.getByText(/Alarm over, disk full/)).toBeVisible();
});

test('a corrupt record of a follower shows at its restart, is refetched, and the node votes again', async ({
  window,
}) => {
  const panel = new PanelPage(window);
  const { nodeId } = await panel.ready();
  for (let turn = 0; turn < 10; turn += 1) await panel.run(`set key:${turn} value-${turn}`);
  const [follower] = panel.followersOf(nodeId);
  await choose(panel, follower, 'Disk', /^Corrupt a log record/);
  await window.getByRole('tab', { name: 'Events' }).click();
  await expect(window.getByText(/^Corrupted entry \d+ on n\d's disk/)).toBeVisible();
  await panel.button(`Restart n${follower}`).click();
  const inspector = await inspect(panel, follower);
  await expect(inspector.getByTestId('recovery')).toContainText(/Corrupt at offset \d+ of segment-/, SLOW);
  await expect(window.getByText(/Alarm, refetching its log/)).toBeVisible(SLOW);
  await expect(window.getByText(/Alarm over, refetching its log/)).toBeVisible(SLOW);
  // The verdict stays to be read; the vote is back: with the leader gone, this one can be led or lead.
  await expect(inspector.getByTestId('recovery')).toBeVisible();
  await expect(inspector.getByTestId('alarms')).toHaveCount(0);
  await panel.button(`Kill n${nodeId}`).click();
  await window.getByRole('tab', { name: 'Console' }).click();
  expect(await panel.run('get key:9')).toContain('"value-9"');
});

test('power cut of all three at once: after a restart every key is there', async ({ window }) => {
  const panel = new PanelPage(window);
  await panel.ready();
  for (let turn = 0; turn < 10; turn += 1) await panel.run(`set key:${turn} value-${turn}`);
  await window.keyboard.press('Control+k');
  await window.getByRole('option', { name: /Cut the power of all nodes/ }).click();
  for (const id of [1, 2, 3]) {
    await expect(panel.node(id)).toHaveAttribute('data-state', 'crashed');
    await expect(panel.node(id)).toContainText(/power cut/i);
  }
  for (const id of [1, 2, 3]) await panel.button(`Restart n${id}`).click();
  await panel.ready();
  for (const turn of [0, 4, 9]) expect(await panel.run(`get key:${turn}`)).toContain(`"value-${turn}"`);
});

test('a snapshot taken now stands in the inspector, and axe finds nothing serious', async ({ window }) => {
  const panel = new PanelPage(window);
  const { nodeId } = await panel.ready();
  await panel.run('set some key');
  const inspector = await inspect(panel, nodeId);
  await expect(inspector.getByTestId('snapshots')).toContainText('None yet');
  await choose(panel, nodeId, /^Snapshot now/);
  await expect(inspector.getByTestId('snapshots').getByRole('row')).toHaveCount(2, SLOW);
  await window.getByRole('tab', { name: 'Events' }).click();
  await expect(window.getByText(/Took a snapshot up to index/)).toBeVisible();
  expect(await seriousIn(window)).toEqual([]);
});

test('a wiped node is asked about, starts without a vote, and catches up', async ({ window }) => {
  const panel = new PanelPage(window);
  const { nodeId } = await panel.ready();
  await panel.run('set precious yes');
  const [wiped, other] = panel.followersOf(nodeId);
  await choose(panel, wiped, 'Disk', 'Wipe folder…');
  await expect(window.getByRole('alertdialog')).toContainText(/votes once it has everything back/);
  expect(await seriousIn(window)).toEqual([]);
  await panel.button(`Wipe n${wiped}`).click();
  await expect(panel.node(wiped)).toHaveAttribute('data-state', 'stopped');
  await expect(panel.node(wiped)).toContainText(/folder was emptied/);
  expect(await panel.run(`wipe n${other}`)).toMatch(/no memory yet/);
  await panel.button(`Restart n${wiped}`).click();
  await panel.ready();
  await expect(window.getByTestId('health')).toHaveText(/Healthy/, SLOW);
  await panel.button(`Kill n${other}`).click();
  expect(await panel.run('get precious')).toContain('"yes"');
});

test('a fault with its own parameters is a chip that removes it', async ({ window }) => {
  const panel = new PanelPage(window);
  const { nodeId } = await panel.ready();
  const [follower] = panel.followersOf(nodeId);
  const inspector = await inspect(panel, follower);
  await choose(panel, follower, 'Disk', 'Another fault…');
  const dialog = window.getByRole('dialog');
  await dialog.getByLabel('Call', { exact: true }).selectOption('sync');
  await dialog.getByLabel('Effect').selectOption('delay');
  await dialog.getByLabel('Longer by').fill('35');
  await dialog.getByLabel('Share of calls').fill('50');
  await expect(dialog).toContainText('Sync takes 35 ms longer, 50 % of calls.');
  expect(await seriousIn(window)).toEqual([]);
  await dialog.getByRole('button', { name: 'Apply fault' }).click();
  const remove = inspector.getByRole('button', {
    name: 'Remove fault: sync takes 35 ms longer, 50 % of calls',
  });
  await remove.click();
  await expect(remove).toHaveCount(0);
});

/** Rules of axe that are broken seriously or worse. */
async function seriousIn(page: Page): Promise<string[]> {
  // The app has no second page that axe could open for frames.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
}
