// Texts of models, tools and strangers: shown as texts, folded, and never more of them than a page bears.
import { call, close, expect, go, judge, open, picture, play } from './browser.mjs';

const kNasty = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>"\'>{{7*7}}${7*7} \u202Egnp.exe\u0000\u001b[31m';
const kCharactersAtMost = 150_000;

const page = await open();

async function is_unharmed(where) {
  const found = await page.evaluate(() => ({ hacked: window.hacked, images: document.querySelectorAll('main img, main script, main iframe, main a[href^="javascript:"]').length, text: document.body.innerText.length }));
  expect(`${where}: nothing ran`, found.hacked === undefined && found.images === 0, found);
  expect(`${where}: no more than a page bears`, found.text < kCharactersAtMost, found.text);
}

async function texts_of_a_run() {
  const { run } = await call('POST', '/v1/agents/echo/runs', { wait: 30, query: kNasty.replace('\u0000', ''), key: '<b>key</b>', params: { '<i>name</i>': kNasty.replace('\u0000', '') } });
  await go(page, `runs/${run.run_id}`);
  await page.getByRole('region', { name: 'result', exact: true }).getByText('<img src=x onerror=').waitFor();
  await page.getByRole('region', { name: 'result', exact: true }).getByText('⟨202E⟩gnp.exe').waitFor();
  await is_unharmed('a run');
  await go(page, 'runs');
  await page.getByText('<img src=x').first().waitFor();
  await is_unharmed('the list of runs');
  await go(page, 'agents/echo');
  await page.getByText('A <b>bold</b> agent').waitFor();
  await is_unharmed('an agent');
}

async function a_result_of_a_megabyte() {
  const { run } = await call('POST', '/v1/agents/echo/runs', { wait: 60, query: '<b>long</b> '.repeat(20_000) });
  expect('it is long', JSON.stringify(run.result).length > 200_000);
  const began = Date.now();
  await go(page, `runs/${run.run_id}`);
  const result = page.getByRole('region', { name: 'result', exact: true });
  await result.waitFor();
  console.log(`a result of ${run.result.length} characters is there after ${Date.now() - began} ms`);
  await is_unharmed('a long result');
  const shown = (await result.textContent()).length;
  expect('its beginning is shown', shown < 3000, shown);
  await page.getByRole('button', { name: 'Show more' }).first().click();
  await is_unharmed('more of a long result');
  await judge(page, 'a long result');
  await go(page, 'events');
  await call('POST', '/v1/agents/echo/runs', { wait: 60, query: 'x'.repeat(200_000) });
  await page.getByRole('list', { name: 'Events, newest first' }).getByText('task completed').first().waitFor();
  await is_unharmed('events');
}

// As if the host itself were hostile: names that no host would give.
async function names_that_no_host_gives() {
  const other = await open();
  const agent = { agent_id: kNasty, description: kNasty, state: '<u>state</u>', paused: null, is_running: false, run_count: 1, error_count: 0, consecutive_failures: 3, last_run: 'never', next_run: '<b>', last_error: kNasty.repeat(1000),
    available_tools: [kNasty], queue_depth: 0, interval: kNasty, cron: null, origin: 'javascript:alert(1)', revision: 1, labels: { [kNasty]: kNasty }, budget: { cost_per_day: 'NaN' } };
  await other.route('**/v1/status*', (route) => route.fulfill({ json: { agents: [agent], next: null, uptime: 1, refused_agents: [{ agent_id: kNasty, origin: kNasty, problems: [kNasty] }], replicas: [] } }));
  await other.route(/v1\/runs\?/, (route) => route.fulfill({ json: { runs: [{ run_id: 'javascript:alert(1)', agent_id: kNasty, status: kNasty, duration_ms: 'long', finished_at: 'x', trigger: kNasty, error: kNasty }], next: null } }));
  await other.route(/v1\/agents\//, (route) => route.fulfill({ json: agent }));
  await go(other, '');
  await other.getByRole('cell').getByRole('link', { name: /<img src=x.*⟨202E⟩/ }).first().waitFor();
  await judge(other, 'hostile names');
  await picture(other, 'hostile');
  await other.getByRole('cell').getByRole('link', { name: /<img src=x.*⟨202E⟩/ }).first().click();
  await other.getByRole('heading', { name: /<img src=x/ }).waitFor();
  expect('nothing ran', await other.evaluate(() => window.hacked === undefined && document.querySelectorAll('main img, a[href^="javascript:"]').length === 0));
  await close(other);
}

async function a_host_that_goes_away() {
  const other = await open();
  await go(other, '');
  await other.getByText('Live', { exact: true }).waitFor();
  await other.route('**/v1/**', (route) => route.abort());
  await other.reload();
  await other.getByText('The host cannot be reached.').first().waitFor();
  await judge(other, 'no host');
  await other.unroute('**/v1/**');
  await other.getByRole('button', { name: 'Try again' }).first().click({ timeout: 3000 }).catch(() => {});  // unless it tried by itself before
  await other.getByRole('table', { name: 'Agents' }).waitFor();
  await close(other);
}

await play(page, [texts_of_a_run, a_result_of_a_megabyte, names_that_no_host_gives, a_host_that_goes_away]);
