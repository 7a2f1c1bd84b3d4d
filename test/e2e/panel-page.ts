// The panel as a person finds it: nodes, leader, console. For both hosts.
import { expect, type Locator, type Page } from '@playwright/test';

export class PanelPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** The card of a node on the topology. */
  node(nodeId: number): Locator {
    return this.page.getByTestId(`node-${nodeId}`);
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  /** Waits until one node leads and the others follow it in its term; resolves to who and in which term. */
  async leader(): Promise<{ nodeId: number; term: number }> {
    const leader = this.page.locator('[data-testid^="node-"][data-role="leader"][data-state="running"]');
    await expect(leader).toHaveCount(1);
    const id = await leader.getAttribute('data-testid');
    return {
      nodeId: Number(id?.slice('node-'.length)),
      term: Number(await leader.getAttribute('data-term')),
    };
  }

  /** Waits until all three run and one leads. */
  async ready(): Promise<{ nodeId: number; term: number }> {
    for (const nodeId of [1, 2, 3]) await expect(this.node(nodeId)).toHaveAttribute('data-state', 'running');
    const leader = await this.leader();
    await expect(this.page.locator('[data-testid^="node-"][data-role="follower"]')).toHaveCount(2);
    return leader;
  }

  followersOf(nodeId: number): [number, number] {
    const [first = 0, second = 0] = [1, 2, 3].filter((id) => id !== nodeId);
    return [first, second];
  }

  /** Types a line into the console and waits for its answer, which it returns as text. */
  async run(line: string): Promise<string> {
    const output = this.page.getByTestId('console-output');
    const answers = output.locator('[data-ok]');
    const before = await answers.count();
    await this.page.getByTestId('console-input').fill(line);
    await this.page.getByTestId('console-input').press('Enter');
    const answer = answers.nth(before);
    await expect(answer).toHaveAttribute('data-ok', /true|false/, { timeout: 15_000 });
    return (await answer.innerText()).trim();
  }

  /** Pids of the node processes, as the panel knows them. */
  async nodePids(): Promise<number[]> {
    const pids: number[] = [];
    for (const nodeId of [1, 2, 3]) {
      await this.button(`Inspect n${nodeId}`).click();
      const inspector = this.page.getByTestId('inspector');
      const pid = inspector.locator('dt', { hasText: /^Pid$/ }).locator('xpath=following-sibling::dd[1]');
      await expect(pid).toHaveText(/^\d+$/);
      pids.push(Number(await pid.innerText()));
    }
    return pids;
  }
}
