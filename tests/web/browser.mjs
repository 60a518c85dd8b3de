// A browser for tests, and what is held against every view.
import { createRequire } from 'node:module';
import { mkdirSync, readFileSync } from 'node:fs';

const require = createRequire(`${process.env.WEB_MODULES}/package.json`);
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const [base, pictures] = process.argv.slice(2);
mkdirSync(pictures, { recursive: true });
const faults = [];
const browsers = [];

export function expect(what, holds, found) {
  if (holds) return;
  throw new Error(`${what}${found === undefined ? '' : `: ${JSON.stringify(found)}`}`);
}

export async function open(options = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--no-first-run'],
  });
  browsers.push(browser);
  const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, ...options });
  await context.addInitScript({ content: axe });  // so that the page's own policy stays in force
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on('pageerror', (error) => faults.push(`an error on the page: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(`on the console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(base) && !/^(data|blob|about):/.test(request.url())) faults.push(`asks elsewhere: ${request.url()}`);
  });
  page.on('dialog', (dialog) => { faults.push(`a dialog of the browser: ${dialog.message()}`); dialog.dismiss(); });
  return page;
}

export async function go(page, view) {
  await page.goto(`${base}/#/${view}`);
  await page.locator('h1').waitFor();
}

// What axe calls serious or critical, and content wider than the window.
export async function judge(page, name) {
  const found = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
    return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} [${[...node.any, ...node.all, ...node.none].map((check) => check.message).join('; ')}]`).join(' | ')}`);
  });
  for (const each of found) faults.push(`${name}: ${each}`);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (over > 0) faults.push(`${name} is ${over} px wider than the window`);
}

export const picture = (page, name) => page.screenshot({ path: `${pictures}/${name}.png` });

export async function close(page) {
  await page.context().browser().close();
}

// Plays the stories one after the other, and ends the program: well if all held.
export async function play(page, stories) {
  try {
    for (const story of stories) {
      const began = Date.now();
      await story();
      console.log(`${story.name.replaceAll('_', ' ')}: ${Date.now() - began} ms`);
    }
  } catch (error) {
    faults.push(`${error.stack}\n${await page.locator('main').innerText().then((text) => text.slice(0, 1500)).catch(() => '')}`);
    await picture(page, 'failure').catch(() => {});
  }
  for (const browser of browsers) await browser.close();
  for (const fault of faults) console.error(fault);
  process.exit(faults.length > 0 ? 1 : 0);
}

export async function call(method, path, body, token) {
  const answer = await fetch(`${base}${path}`, { method, headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) }, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  expect(`${method} ${path} is answered`, answer.ok, text);
  return JSON.parse(text);
}
