// How much waits for somebody, for the signs beside the views' names.
import { ask } from './api.js';
import { connection, listen } from './live.js';
import { Store } from './store.js';

const kLists = {
  approvals: ['v1/approvals?limit=1000', (type) => type.startsWith('approval_') || type === 'background_task_cancelled'],
  quarantine: ['v1/quarantine?limit=1000', (type) => type === 'background_task_quarantined' || type === 'background_task_resumed' || type === 'background_task_queued' || type === 'background_task_dropped'],
  alerts: ['v1/alerts', (type) => type.startsWith('alert_')],
};

export const counts = new Store({ approvals: 0, quarantine: 0, alerts: 0 });
const wanted = new Set(Object.keys(kLists));
let timer = null;

async function read() {
  const names = [...wanted];
  wanted.clear();
  const found = {};
  await Promise.all(names.map(async (name) => {
    try { found[name] = (await ask(kLists[name][0]))[name].length; } catch { /* the next event asks again */ }
  }));
  timer = null;
  counts.change((before) => ({ ...before, ...found }));
  if (wanted.size > 0) soon();
}

function soon() { timer ??= setTimeout(read, 400); }

listen(({ type }) => {
  for (const [name, [, fits]] of Object.entries(kLists)) if (fits(type)) wanted.add(name);
  if (wanted.size > 0) soon();
});
connection.listen((state) => {
  if (state !== 'live') return;
  for (const name of Object.keys(kLists)) wanted.add(name);
  soon();
});
