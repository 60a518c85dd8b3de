// The latest runs of the agents in sight, asked for a few at a time once a row stays where it is.
import { ask, segment } from './api.js';
import { Store, useStore } from './store.js';
import { useEffect } from './view.js';

export const kRecent = 12;
const kAtOnce = 4;
const kStays = 200;    // ms; what is only scrolled past is not asked for
const kMost = 500;     // agents whose runs are kept

const known = new Store(new Map());  // agent id: {of: its last_run, runs}
const queue = new Map();             // agent id: last_run
let asking = 0;

async function next() {
  while (asking < kAtOnce && queue.size > 0) {
    const [[id, of]] = queue;
    queue.delete(id);
    ++asking;
    ask(`v1/runs?limit=${kRecent}&agent=${segment(id)}`).then(({ runs }) => {
      known.change((before) => {
        const now = new Map(before);
        now.delete(id);
        now.set(id, { of, runs: runs.filter((run) => run.finished_at || run.reason) });
        if (now.size > kMost) now.delete(now.keys().next().value);
        return now;
      });
    }).catch(() => {}).finally(() => (--asking, next()));
  }
}

// Newest first; null: not known yet.
export function useRecent({ agent_id: id, last_run: of }) {
  const found = useStore(known, (all) => all.get(id));
  const isLate = Boolean(of) && found?.of !== of;
  useEffect(() => {
    if (!isLate) return undefined;
    const timer = setTimeout(() => { queue.set(id, of); next(); }, kStays);
    return () => { clearTimeout(timer); queue.delete(id); };
  }, [id, of, isLate]);
  return of ? found?.runs ?? null : [];
}
