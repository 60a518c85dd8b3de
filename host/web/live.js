// The host's events as they happen. A stream that breaks is taken up again behind the last event that came: nothing is missed.
import { ask, send } from './api.js';
import { pages } from './pages.js';
import { Store } from './store.js';
import { readStream } from './stream.js';

const kMost = 2000;             // kept for the view of events

export const connection = new Store('connecting');  // connecting, live, broken
export const recent = new Store([]);                // newest last
const listeners = new Set();
let lastId = '';
let comes = [], drawing = false, past = false;

// tell(event) for each; answers how to stop.
export function listen(tell) {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

function take(event) {
  for (const tell of listeners) tell(event);
  comes.push(event);
  if (drawing) return;
  drawing = true;
  setTimeout(() => {  // many that come together are drawn once
    drawing = false;
    const all = recent.value.concat(comes);
    comes = [];
    recent.set(all.length > kMost ? all.slice(-kMost) : all);
  }, 150);
}

const kPast = 64;  // records before the newest run

// What has happened lately, before this page was opened. Run ids begin with their place in the ledger, event ids too.
export async function readPast() {
  if (past) return;
  past = true;
  try {
    const { runs } = await ask('v1/runs?limit=1');
    const newest = runs.length > 0 ? Number(runs[0].run_id.split('-')[0]) : 0;
    const since = `${Math.max(newest - kPast, 0).toString(16).padStart(16, '0')}-999`;
    const { events } = await pages(`v1/events?limit=1000&since=${since}`, 'events', kMost / 2);
    recent.change((now) => {
      const first = now[0]?.id ?? comes[0]?.id ?? '~';
      return [...events.filter((event) => event.id < first), ...now];
    });
  } catch { past = false; }
}

const pause = (ms) => new Promise((go) => setTimeout(go, ms));

// Runs for as long as the page does. opened(): a stream has begun that did not go on from the one before.
export async function follow(opened) {
  for (let tries = 0; ; ++tries) {
    const stop = new AbortController();
    try {
      const headers = { Accept: 'text/event-stream' };
      if (lastId) headers['Last-Event-ID'] = lastId;
      const answer = await send('v1/events', { headers, signal: stop.signal });
      if (answer.ok) {
        connection.set('live');
        tries = 0;
        opened();
        await readStream(answer, stop, take, (id) => { lastId = id; });
      } else if (answer.status === 400) {
        lastId = '';  // an id of another ledger
      }
    } catch { /* tried again */ }
    connection.set(tries < 1 ? 'connecting' : 'broken');
    await pause(Math.min(1000 * 2 ** Math.min(tries, 4), 10_000) * (0.75 + Math.random() / 2));
  }
}
