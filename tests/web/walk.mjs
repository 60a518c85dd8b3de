// What an operator does: looks at the fleet, watches a run, looks into its steps, pauses an agent, approves a call, looks at everything else.
import { base, call, close, expect, go, judge, open, picture, play } from './browser.mjs';

const page = await open();

async function watch_a_run() {
  await go(page, '');
  await page.getByRole('table', { name: 'Agents' }).waitFor();
  await page.evaluate(() => { window.stillTheSamePage = true; });
  const row = page.getByRole('row').filter({ hasText: 'thinker' });
  await row.getByText('never ran').waitFor();
  await judge(page, 'fleet');
  await picture(page, 'fleet-quiet');
  await page.getByRole('button', { name: 'Run thinker now' }).focus();
  await page.keyboard.press('Enter');  // by keyboard alone
  await row.getByText('running').first().waitFor();
  await picture(page, 'fleet-running');
  await row.getByRole('link', { name: 'completed' }).waitFor();
  await row.getByRole('img', { name: /latest 1 run: 1 completed/ }).waitFor();
  expect('nothing was loaded again', await page.evaluate(() => window.stillTheSamePage === true));
}

async function look_into_its_steps() {
  await page.getByRole('row').filter({ hasText: 'thinker' }).getByRole('link', { name: 'completed' }).click();
  await page.getByRole('heading', { name: /^Run / }).waitFor();
  const steps = page.getByRole('list', { name: 'Steps' });
  await steps.locator('> li').nth(2).waitFor();
  expect('three steps', await steps.locator('> li').count() === 3, await steps.textContent());
  const tool = steps.getByRole('button').filter({ hasText: 'fs.list' }).nth(1);
  expect('folded', await tool.getAttribute('aria-expanded') === 'false');
  await tool.click();
  await steps.getByRole('region', { name: 'result of fs.list' }).getByText('note.txt').waitFor();
  await page.getByRole('region', { name: 'result', exact: true }).getByText('I found 1.').waitFor();
  await judge(page, 'run');
  await picture(page, 'run');
}

async function see_a_run_live() {
  const { run_id: id } = await call('POST', '/v1/agents/thinker/runs', {});
  await go(page, `runs/${id}`);
  await page.getByText('the model is asked').waitFor();
  await picture(page, 'run-live');
  await page.getByRole('region', { name: 'result', exact: true }).waitFor();
  await page.getByText('completed').first().waitFor();
}

async function pause_and_resume() {
  await go(page, 'agents/thinker');
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  expect('paused', (await call('GET', '/v1/agents/thinker')).state === 'paused');
  await page.getByText('Nothing while it is paused.').waitFor();
  await judge(page, 'agent, paused');
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('button', { name: 'Pause', exact: true }).waitFor();
  expect('resumed', (await call('GET', '/v1/agents/thinker')).state !== 'paused');
  await page.getByText('Show it').click();
  await page.getByRole('region', { name: 'manifest' }).getByText('"thinker"').waitFor();
  await judge(page, 'agent');
  await picture(page, 'agent');
}

async function stop_and_think_better_of_it() {
  const stop = page.getByRole('button', { name: 'Stop…' });
  await stop.click();
  await page.getByRole('dialog').waitFor();
  await judge(page, 'a question');
  await picture(page, 'question');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect('focus is back where it was', await stop.evaluate((button) => button === document.activeElement));
  expect('nothing was stopped', (await call('GET', '/v1/agents/thinker')).state !== 'stopped');
  await stop.click();
  await page.getByRole('button', { name: 'Stop it' }).click();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await stop.waitFor();
}

async function approve_a_call() {
  await go(page, 'approvals');
  await page.getByText('Nothing waits for you').waitFor();
  await judge(page, 'approvals, none');
  const { run_id: id } = await call('POST', '/v1/agents/publisher/runs', {});
  await page.getByRole('list', { name: 'Calls that wait' }).getByText('fs.write_file').waitFor();  // without a reload
  await page.getByText('The report of <b>the day</b>').waitFor();
  await page.getByRole('link', { name: /Approvals/ }).getByText('1', { exact: true }).waitFor();
  await judge(page, 'approvals');
  await picture(page, 'approvals');
  await page.getByRole('button', { name: 'Approve…' }).click();
  await page.getByLabel('Your name').fill('ops');
  await page.getByLabel('Reason').fill('read and found good');
  await page.waitForFunction(() => document.querySelectorAll('.toast').length === 0);  // what passes meanwhile takes no word away
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await page.getByText('Nothing waits for you').waitFor();
  await go(page, `runs/${id}`);
  await page.getByRole('button').filter({ hasText: 'Approved: fs.write_file' }).getByText('by ops').waitFor();
  await page.getByText('completed').first().waitFor();
}

async function deal_with_quarantine() {
  await go(page, 'quarantine');
  await page.getByRole('list', { name: 'Runs in quarantine' }).waitFor();
  await judge(page, 'quarantine');
  await picture(page, 'quarantine');
  await page.getByRole('button', { name: 'Edit…' }).click();
  await page.getByLabel('Parameters').fill('{"a": ');
  await page.getByRole('button', { name: 'Keep the change' }).click();
  await page.getByText('no JSON').waitFor();
  await page.getByLabel('Query').fill('Be good.');
  await page.getByLabel('Parameters').fill('');
  await page.getByRole('button', { name: 'Keep the change' }).click();
  await page.getByText('What is asked is changed.').waitFor();
  await page.getByRole('button', { name: 'Let it go on' }).click();
  await page.getByText('Nothing is in quarantine').waitFor();
}

async function raise_a_budget() {
  await go(page, 'budgets');
  await page.getByRole('button', { name: 'Raise… host cost' }).click();
  await page.getByLabel('By so many dollars').fill('2.5');
  await page.getByRole('button', { name: 'Raise it' }).click();
  await page.getByText('of $12.50').waitFor();
}

async function filter_and_hold_events() {
  await go(page, 'events');
  await call('POST', '/v1/agents/thinker/runs', {});
  const events = page.getByRole('list', { name: 'Events, newest first' });
  await events.getByText('task completed').first().waitFor();
  await page.getByPlaceholder('Filter by type').fill('tool call');
  expect('filtered', await events.getByText('task completed').count() === 0);
  await page.getByPlaceholder('Filter by type').fill('');
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  const held = await events.locator('> li').count();
  await call('POST', '/v1/agents/thinker/runs?', { wait: 30 });
  await page.getByRole('button', { name: /Go on \(\d+ new\)/ }).waitFor();
  expect('held', await events.locator('> li').count() === held);
  await page.getByRole('button', { name: /Go on/ }).click();
  await events.locator('> li').nth(held).waitFor();
  await events.getByRole('button').first().click();
  await judge(page, 'events');
}

async function cancel_a_run() {
  const { run_id: id } = await call('POST', '/v1/agents/publisher/runs', {});
  await go(page, `runs/${id}`);
  await page.getByRole('button', { name: 'Cancel…' }).click();
  await page.getByRole('button', { name: 'Cancel the run' }).click();
  await page.getByRole('button', { name: 'Run it again' }).waitFor();
  await page.getByRole('button', { name: 'Forget…' }).click();
  await page.getByRole('button', { name: 'Forget it' }).click();
  await page.getByRole('heading', { name: 'Runs' }).waitFor();
  expect('it is gone', (await fetch(`${base}/v1/runs/${id}`)).status === 404);
}

async function delete_an_agent_that_came_through_the_api() {
  await call('POST', '/v1/agents', { agent_id: 'passing', task: { native: 'disk_report' } });
  const { run_id: run } = await call('POST', '/v1/agents/passing/runs', { wait: 30 });
  await go(page, 'agents/passing');
  await page.getByRole('table', { name: 'Runs of passing' }).getByText('{"summary":').waitFor();
  const remove = page.getByRole('button', { name: 'Delete…' });
  await remove.click();
  await page.getByRole('dialog', { name: 'Delete passing?' }).getByText('what it runs or has in its queue is cancelled').waitFor();
  await judge(page, 'a question before an agent is deleted');
  await picture(page, 'delete');
  await page.keyboard.press('Enter');  // what has the focus keeps it
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect('nothing was deleted', (await call('GET', '/v1/agents/passing')).origin === 'api');
  await remove.click();
  await page.getByRole('button', { name: 'Delete it' }).click();
  await page.getByText('passing is deleted.').waitFor();
  await page.getByRole('table', { name: 'Agents' }).waitFor();
  await page.getByRole('row').filter({ hasText: 'passing' }).waitFor({ state: 'detached' });
  expect('it is gone', (await fetch(`${base}/v1/agents/passing`)).status === 404);
  expect('its run is there', (await call('GET', `/v1/runs/${run}`)).status === 'completed');
  await go(page, 'agents/thinker');
  await page.getByRole('button', { name: 'Stop…' }).waitFor();
  expect('an agent of a file is deleted where its file is', await remove.count() === 0);
}

const kViews = { fleet: '', runs: 'runs', agent: 'agents/thinker', approvals: 'approvals', quarantine: 'quarantine', alerts: 'alerts', budgets: 'budgets', plugins: 'plugins', events: 'events', nowhere: 'no/such/page' };

async function see_every_view() {
  const { run_id: run } = await call('POST', '/v1/agents/thinker/runs', { wait: 30 });
  await call('POST', '/v1/agents/publisher/runs', {});
  const views = { ...kViews, run: `runs/${run}` };
  for (const [theme, options] of [['light', {}], ['dark', { colorScheme: 'dark' }], ['phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }]]) {
    const other = await open(options);
    for (const [name, view] of Object.entries(views)) {
      await go(other, view);
      await other.getByText('Loading…').first().waitFor({ state: 'detached' });
      await other.getByText('Live', { exact: true }).waitFor();
      await judge(other, `${name}, ${theme}`);
      await picture(other, `${name}-${theme}`);
    }
    await close(other);
  }
}

async function get_about_by_keyboard() {
  await go(page, '');
  await page.getByRole('table', { name: 'Agents' }).waitFor();
  await page.reload();
  await page.getByRole('table', { name: 'Agents' }).waitFor();
  await page.keyboard.press('Tab');
  expect('the first stop leads past the views', await page.evaluate(() => document.activeElement.textContent) === 'Skip to the content');
  await page.keyboard.press('Enter');
  expect('it does', await page.evaluate(() => document.activeElement.id) === 'main');
  await page.getByRole('link', { name: 'Budgets' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Budgets' }).waitFor();
  expect('the new view has the focus', await page.evaluate(() => document.activeElement.textContent) === 'Budgets');
  await page.getByRole('button', { name: 'dark', exact: true }).click();
  await page.reload();
  expect('the theme stays', await page.evaluate(() => document.documentElement.dataset.theme) === 'dark');
}

await play(page, [watch_a_run, look_into_its_steps, see_a_run_live, pause_and_resume, stop_and_think_better_of_it, approve_a_call, deal_with_quarantine, raise_a_budget,
                       filter_and_hold_events, cancel_a_run, delete_an_agent_that_came_through_the_api, get_about_by_keyboard, see_every_view]);
