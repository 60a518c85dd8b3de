// A thousand agents: only what is in sight is drawn, whatever is scrolled, filtered or told. What that costs is measured by the browser
// itself and printed; a machine that is busy is no fault of the page's.
import { call, expect, go, judge, open, picture, play } from './browser.mjs';

const kRowsAtMost = 70;

const page = await open();
const devtools = await page.context().newCDPSession(page);
await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });  // what the page's thread takes, whoever else is at work

async function cost(doing) {
  const read = async () => Object.fromEntries((await devtools.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value * 1000]));
  const before = await read();
  await doing();
  const after = await read();
  const of = (name) => after[name] - before[name];
  return of('TaskDuration');
}

const frame = () => page.evaluate(() => new Promise((go_on) => requestAnimationFrame(() => requestAnimationFrame(go_on))));
const rows = () => page.locator('.rows.fleet tbody tr:not(.spacer)').count();

async function scroll_filter_and_watch() {
  await go(page, '');
  await page.getByText('1,000 agents').first().waitFor();
  expect('only rows in sight are drawn', await rows() <= kRowsAtMost, await rows());
  expect('the table says how many there are', await page.getByRole('table', { name: 'Agents' }).getAttribute('aria-rowcount') === '1001');

  const steps = 100;
  const scrolled = await cost(async () => {
    for (let i = 1; i <= steps; ++i) {
      await page.evaluate((part) => scrollTo(0, part * (document.documentElement.scrollHeight - innerHeight)), i / steps);
      await frame();
    }
  });
  console.log(`a scroll by ten rows: ${(scrolled / steps).toFixed(1)} ms of the page's thread`);
  await page.getByRole('link', { name: 'agent-0999' }).waitFor();
  expect('rows are drawn as they come in sight', await rows() <= kRowsAtMost, await rows());
  await page.evaluate(() => scrollTo(0, 0));
  await page.getByRole('link', { name: 'agent-0000' }).waitFor();

  const letters = 'agent-05';
  const search = page.getByPlaceholder('Find by name');
  const filtered = await cost(async () => {
    for (let i = 1; i <= letters.length; ++i) {
      await search.fill(letters.slice(0, i));
      await frame();
    }
  });
  console.log(`a letter of a filter: ${(filtered / letters.length).toFixed(1)} ms of the page's thread`);
  await page.getByText('100 agents shown').waitFor({ state: 'attached' });
  expect('only those that match are drawn', await rows() <= kRowsAtMost, await rows());
  await search.fill('');

  await page.getByRole('button', { name: 'Next run' }).click();
  await page.getByRole('columnheader', { name: 'Next run' }).and(page.locator('[aria-sort=ascending]')).waitFor();
  await page.getByRole('button', { name: 'Agent', exact: true }).click();

  const runs = 20;
  const updated = await cost(async () => {
    for (let i = 0; i < runs; ++i) await call('POST', `/v1/agents/agent-000${i % 10}/runs`, { wait: 20 });
    await page.getByRole('row').filter({ hasText: 'agent-0009' }).getByRole('img', { name: /latest 2 runs/ }).waitFor();
  });
  console.log(`a run that begins and ends: ${(updated / runs).toFixed(1)} ms of the page's thread`);

  expect('only rows in sight are drawn again', await rows() <= kRowsAtMost, await rows());
  await judge(page, 'a thousand agents');
  await picture(page, 'thousand');
}

await play(page, [scroll_filter_and_watch]);
