// Every agent of this host, kept up to date by events.
import { ask, segment } from './api.js';
import { listen } from './live.js';
import { pages } from './pages.js';
import { Store } from './store.js';

const kMost = 10_000;
const kOneByOne = 12;       // changed agents that are asked for singly
const kSettle = 400;        // ms
const kAllAgain = 5_000;    // ms between two readings of everything
const kSteps = new Set(['model_call_started', 'tool_call_started', 'tool_call_completed']);  // change nothing that a list shows

export const fleet = new Store({ state: 'loading', agents: new Map(), host: null, problem: null, more: false });
const dirty = new Set();
let timer = null, reading = false, readAt = -Infinity;

export async function readFleet() {
  if (reading) return;
  reading = true;
  readAt = performance.now();
  dirty.clear();
  try {
    const { agents, more, ...host } = await pages('v1/status?limit=1000', 'agents', kMost);
    fleet.set({ state: 'ready', agents: new Map(agents.map((agent) => [agent.agent_id, agent])), host: { ...host, at: Date.now() }, problem: null, more });
  } catch (problem) {
    fleet.change((before) => ({ ...before, state: before.state === 'ready' ? 'ready' : 'failed', problem }));
  }
  reading = false;
}

export function putAgent(agent) {
  fleet.change((before) => {
    const agents = new Map(before.agents);
    agents.set(agent.agent_id, agent);
    return { ...before, agents };
  });
}

async function one(id) {
  try {
    return [id, await ask(`v1/agents/${segment(id)}`)];
  } catch (problem) {
    return [id, problem.status === 404 ? null : undefined];
  }
}

async function catchUp() {
  timer = null;
  if (dirty.size === 0) return;
  if (dirty.size > kOneByOne) {
    const wait = readAt + kAllAgain - performance.now();
    if (wait > 0) return void (timer = setTimeout(catchUp, wait));
    return readFleet();
  }
  const ids = [...dirty];
  dirty.clear();
  const found = await Promise.all(ids.map(one));
  fleet.change((before) => {
    const agents = new Map(before.agents);
    for (const [id, agent] of found) {
      if (agent) agents.set(id, agent);
      else if (agent === null) agents.delete(id);
    }
    return { ...before, agents };
  });
}

listen((event) => {
  if (!event.agent_id || kSteps.has(event.type)) return;
  dirty.add(event.agent_id);
  timer ??= setTimeout(catchUp, kSettle);
});
setInterval(() => { if (!document.hidden) readFleet(); }, 60_000);
document.addEventListener('visibilitychange', () => { if (!document.hidden && performance.now() - readAt > 10_000) readFleet(); });
