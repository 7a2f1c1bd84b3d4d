// Nodes that come and go, as a person does it in the real Electron app.
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { closeDesktop, launchDesktop, test } from './fixtures.ts';
import { PanelPage } from './panel-page.ts';

const CHANGE_MS = 60_000;

async function nodeIds(window: Page): Promise<number[]> {
  const cards = await window.locator('article[data-testid^="node-"]').all();
  const ids = await Promise.all(cards.map((card) => card.getAttribute('data-testid')));
  return ids.map((id) => Number(id?.slice('node-'.length))).sort((left, right) => left - right);
}

async function addNode(window: Page, nodeId: number, majority: string): Promise<void> {
  await window.getByRole('button', { name: 'Add node' }).click();
  const card = new PanelPage(window).node(nodeId);
  await expect(card).toBeVisible();
  await expect(card).toHaveAttribute('data-membership', 'voter', { timeout: CHANGE_MS });
  await expect(card).toHaveAttribute('data-role', /follower|leader/, { timeout: CHANGE_MS });
  await expect(window.getByTestId('quorum')).toContainText(majority, { timeout: CHANGE_MS });
  await expect(window.getByRole('button', { name: 'Add node' })).toBeEnabled({ timeout: CHANGE_MS });
}

test('add a fourth node and see it become a voter; axe finds nothing serious', async ({ window }) => {
  const panel = new PanelPage(window);
  await panel.ready();
  await expect(window.getByTestId('quorum')).toContainText('2 of 3 votes');
  expect(await panel.run('set before yes')).toMatch(/OK/);
  await addNode(window, 4, '3 of 4 votes');
  await expect.poll(async () => Number(await panel.node(4).getAttribute('data-commit'))).toBeGreaterThan(0);
  await window.getByRole('tab', { name: 'Events' }).click();
  await expect(window.getByText(/n4 has caught up and votes now/)).toBeVisible();
  await expect(window.getByText(/The members are settled: n1, n2, n3 and n4 vote/).first()).toBeVisible();
  const { violations } = await new AxeBuilder({ page: window }).setLegacyMode().analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(serious.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
});

test('two of five die and writes go on; the leader is removed; after a restart the members are the same', async ({
  dataDir,
}) => {
  test.setTimeout(240_000);
  let desktop = await launchDesktop(dataDir);
  try {
    let panel = new PanelPage(desktop.window);
    await panel.ready();
    await addNode(desktop.window, 4, '3 of 4 votes');
    await addNode(desktop.window, 5, '3 of 5 votes');
    const { nodeId: leader } = await panel.leader();
    const doomed = [1, 2, 3, 4, 5].filter((id) => id !== leader).slice(0, 2);
    for (const id of doomed) await panel.button(`Kill n${id}`).click();
    for (const id of doomed) await expect(panel.node(id)).toHaveAttribute('data-state', 'crashed');
    expect(await panel.run('set two-of-five-dead yes')).toMatch(/OK/);
    const third = [1, 2, 3, 4, 5].find((id) => id !== leader && !doomed.includes(id)) ?? 0;

    await panel.button(`More for n${third}`).click();
    await desktop.window.getByRole('menuitem', { name: 'Remove from cluster…' }).click();
    await expect(desktop.window.getByRole('alertdialog')).toContainText(/Not now\..*a majority is 3/);
    await expect(panel.button(`Remove n${third}`)).toBeDisabled();
    await panel.button(`Keep n${third}`).click();
    expect(await panel.run('heal')).toMatch(/all nodes up/);
    await expect(desktop.window.getByTestId('quorum')).toContainText('5 up');

    const { nodeId: old } = await panel.leader();
    await panel.button(`More for n${old}`).click();
    await desktop.window.getByRole('menuitem', { name: 'Remove from cluster…' }).click();
    await expect(desktop.window.getByRole('alertdialog')).toContainText(/hands leadership over first/);
    await panel.button(`Remove n${old}`).click();
    await expect(panel.node(old)).toHaveCount(0, { timeout: CHANGE_MS });
    const next = await panel.leader();
    expect(next.nodeId).not.toBe(old);
    await expect(desktop.window.getByTestId('quorum')).toContainText('3 of 4 votes');
    const members = await nodeIds(desktop.window);
    expect(members).toEqual([1, 2, 3, 4, 5].filter((id) => id !== old));

    await closeDesktop(desktop.app);
    desktop = await launchDesktop(dataDir);
    panel = new PanelPage(desktop.window);
    await panel.leader();
    await expect(desktop.window.getByTestId('quorum')).toContainText('3 of 4 votes');
    await expect(desktop.window.getByTestId('quorum')).toContainText('4 up', { timeout: CHANGE_MS });
    expect(await nodeIds(desktop.window)).toEqual(members);
    expect(await panel.run('get two-of-five-dead')).toContain('"yes"');
  } finally {
    await closeDesktop(desktop.app);
  }
});
