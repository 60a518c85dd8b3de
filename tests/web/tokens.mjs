// A host that asks for tokens: what a viewer sees, what it may not do, and what an operator may.
import { call, expect, go, judge, open, picture, play } from './browser.mjs';

const { VIEWER: viewer, OPERATOR: operator } = process.env;
const page = await open();
const addresses = [];
page.on('request', (request) => addresses.push(request.url()));

const give = async (token) => {
  await page.getByLabel('Token', { exact: true }).fill(token);
  await page.getByRole('button', { name: 'Go on' }).click();
};

async function ask_who_comes() {
  await go(page, '');
  await page.getByText('This host asks for a token.').waitFor();
  expect('nothing is shown yet', await page.getByRole('table').count() === 0);
  await judge(page, 'a token is asked for');
  await picture(page, 'token');
  await give('not-the-token-of-anybody');
  await page.getByText('The host does not know this token.').waitFor();
}

async function show_a_viewer_everything_and_let_nothing_be_changed() {
  await give(viewer);
  await page.getByRole('table', { name: 'Agents' }).waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Pause echo' }).click();
  await page.getByText(/^Not with this token: .*operator/).waitFor();
  await judge(page, 'refused');
  expect('nothing was paused', (await call('GET', '/v1/agents/echo', undefined, viewer)).state === 'idle');
  expect('the token is in no address', !addresses.some((url) => url.includes(viewer)) && !page.url().includes(viewer));
  expect('it is kept for this tab alone', await page.evaluate((token) => !JSON.stringify(localStorage).includes(token) && document.cookie === '', viewer));
  await page.reload();
  await page.getByRole('table', { name: 'Agents' }).waitFor();
}

async function let_an_operator_act() {
  await page.getByRole('button', { name: 'Forget the token' }).click();
  await give(operator);
  await page.getByRole('button', { name: 'Pause echo' }).click();
  await page.getByRole('button', { name: 'Resume echo' }).waitFor();
  expect('it is paused', (await call('GET', '/v1/agents/echo', undefined, viewer)).state === 'paused');
}

await play(page, [ask_who_comes, show_a_viewer_everything_and_let_nothing_be_changed, let_an_operator_act]);
