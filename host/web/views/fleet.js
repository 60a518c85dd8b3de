// Every agent of this host at a glance.
import { pauseAgent, resumeAgent, runNow, startAgent } from '../actions.js';
import { counts } from '../counts.js';
import { fleet, readFleet } from '../fleet.js';
import { brief, count, isNumber, money, plural, visible } from '../format.js';
import { Ago, Empty, Heading, Loading, Meter, Status, History, Fold, Trouble } from '../parts.js';
import { useQuery } from '../query.js';
import { useRecent } from '../recent.js';
import { toAgent, toRun } from '../route.js';
import { Cell, Rows } from '../rows.js';
import { Icon } from '../shapes.js';
import { Store, useStore } from '../store.js';
import { ask } from '../api.js';
import { html, useMemo } from '../view.js';

const kColumns = [
  { name: 'agent', title: 'Agent', sort: true }, { name: 'state', title: 'State', sort: true }, { name: 'next', title: 'Next run', sort: true },
  { name: 'last', title: 'Last run', sort: true }, { name: 'history', title: 'Latest runs' }, { name: 'spend', title: 'Spent today', sort: true }, { name: 'do', title: 'Actions', hidden: true },
];
const kStates = ['running', 'error', 'idle', 'paused', 'stopped'];
const kOrder = new Map(['error', 'running', 'idle', 'paused', 'stopped'].map((state, i) => [state, i]));

// What one looks for survives a look at something else.
const looking = new Store({ text: '', state: '', by: 'agent', down: false });

const spent = ({ budget = {} }) => (isNumber(budget.cost_per_day) ? (budget.cost_today ?? 0) / budget.cost_per_day : isNumber(budget.tokens_per_day) ? (budget.tokens_today ?? 0) / budget.tokens_per_day : -1 / (1 + (budget.cost_today ?? 0) + (budget.tokens_today ?? 0) / 1e9));
const instant = (text, none) => (text ? Date.parse(text) : none);
const kKeys = {
  agent: (agent) => agent.agent_id,
  state: (agent) => kOrder.get(agent.state) ?? 9,
  next: (agent) => instant(agent.next_run, Infinity),
  last: (agent) => -instant(agent.last_run, -Infinity),
  spend: (agent) => -spent(agent),
};

function sortAgents(agents, { text, state, by, down }) {
  const wanted = text.trim().toLowerCase();
  const fits = (agent) => (!state || agent.state === state)
    && (!wanted || agent.agent_id.includes(wanted) || (agent.description ?? '').toLowerCase().includes(wanted) || Object.entries(agent.labels ?? {}).some(([name, value]) => `${name}=${value}`.toLowerCase().includes(wanted)));
  const key = kKeys[by] ?? kKeys.agent;
  const keyed = [];
  for (const agent of agents.values()) if (fits(agent)) keyed.push([key(agent), agent]);
  keyed.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1].agent_id < b[1].agent_id ? -1 : 1));
  if (down) keyed.reverse();
  return keyed.map(([, agent]) => agent);
}

export const rhythm = (agent) => (agent.interval ? `every ${agent.interval}` : agent.cron ? agent.cron : agent.next_run ? 'once' : 'by hand or trigger');

function Spend({ agent }) {
  const { budget = {} } = agent;
  if (isNumber(budget.cost_per_day)) return html`<${Meter} used=${budget.cost_today ?? 0} limit=${budget.cost_per_day} label="spent today" />`;
  if (isNumber(budget.tokens_per_day)) return html`<${Meter} used=${budget.tokens_today ?? 0} limit=${budget.tokens_per_day} show=${brief} unit="tokens" label="tokens used today" />`;
  if (!(budget.tokens_today > 0)) return html`<span class="faint">${isNumber(budget.tokens_today) ? 'nothing yet' : '–'}</span>`;
  return html`<span class="number">${money(budget.cost_today)}</span><span class="second number">${brief(budget.tokens_today)} tokens</span>`;
}

function LatestRuns({ agent }) {
  const runs = useRecent(agent);
  return runs === null ? null : html`<${History} runs=${runs} />`;
}

function LastRun({ agent }) {
  const latest = useRecent(agent)?.[0];
  const status = latest?.status ?? (agent.last_run ? (agent.consecutive_failures > 0 ? 'failed' : 'completed') : null);
  if (!status) return html`<span class="faint">never ran</span>`;
  const told = html`<${Status} state=${status} />`;
  return html`${latest ? html`<a class="plain" href=${toRun(latest.run_id)}>${told}</a>` : told}<span class="second"><${Ago} at=${agent.last_run} none="" />${agent.consecutive_failures > 1 ? html` · <span class="bad-text">${agent.consecutive_failures} in a row</span>` : ''}</span>`;
}

function Switch({ agent }) {
  const { agent_id: id, state } = agent;
  const held = agent.paused !== null && agent.paused !== undefined;
  if (state === 'stopped') return html`<button class="icon-button" title=${`Start ${id}`} onClick=${() => startAgent(id)}><${Icon} name="right" /><span class="unseen">Start ${id}</span></button>`;
  return html`<button class="icon-button" title=${`${held ? 'Resume' : 'Pause'} ${id}`} onClick=${() => (held ? resumeAgent(id) : pauseAgent(id))}><${Icon} name=${held ? 'right' : 'pause'} /><span class="unseen">${held ? 'Resume' : 'Pause'} ${id}</span></button>`;
}

function row(agent) {
  return html`
    <${Cell} name="agent"><a href=${toAgent(agent.agent_id)}><bdi>${visible(agent.agent_id)}</bdi></a><span class="second line">${visible(agent.description ?? '')}</span><//>
    <${Cell} name="state"><${Status} state=${agent.state} />${agent.queue_depth > 0 && html`<span class="second">${count(agent.queue_depth)} waiting</span>`}<//>
    <${Cell} name="next" label="Next">${agent.state === 'paused' || agent.state === 'stopped' ? html`<span class="faint">not while ${agent.state}</span>` : html`<${Ago} at=${agent.next_run} none="–" />`}<span class="second line">${rhythm(agent)}</span><//>
    <${Cell} name="last" label="Last"><${LastRun} agent=${agent} /><//>
    <${Cell} name="history"><${LatestRuns} agent=${agent} /><//>
    <${Cell} name="spend" label="Spent today"><${Spend} agent=${agent} /><//>
    <${Cell} name="do"><button class="icon-button" title=${`Run ${agent.agent_id} now`} disabled=${agent.state === 'stopped'} onClick=${() => runNow(agent.agent_id)}><${Icon} name="play" /><span class="unseen">Run ${agent.agent_id} now</span></button><${Switch} agent=${agent} /><//>`;
}

function Tiles({ agents }) {
  const waiting = useStore(counts);
  const budgets = useQuery((signal) => ask('v1/budgets?limit=1', { signal }), 'host', (event) => event.type === 'model_call_completed' || event.type.startsWith('budget_'));
  const ofHost = (resource) => budgets.value?.budgets.find((each) => each.scope === 'host' && each.resource === resource);
  const cost = ofHost('cost'), tokens = ofHost('tokens');
  let running = 0, queued = 0;
  for (const agent of agents.values()) {
    running += agent.is_running ? 1 : 0;
    queued += agent.queue_depth;
  }
  return html`<ul class="tiles" aria-label="At a glance">
    <li><span class="tile-name">Running now</span><span class="tile-value">${count(running)}</span><span class="tile-note">${queued > 0 ? `${count(queued)} more in the queue` : `of ${plural(agents.size, 'agent')}`}</span></li>
    <li class=${waiting.approvals > 0 ? 'warn' : ''}><a href="#/approvals"><span class="tile-name">Waiting for you</span><span class="tile-value">${count(waiting.approvals)}</span><span class="tile-note">${waiting.approvals > 0 ? 'calls to approve or deny' : 'no call needs a person'}</span></a></li>
    <li class=${waiting.alerts > 0 ? 'bad' : ''}><a href="#/alerts"><span class="tile-name">Alerts</span><span class="tile-value">${count(waiting.alerts)}</span><span class="tile-note">${waiting.alerts > 0 ? 'not as it should be' : 'all as it should be'}</span></a></li>
    <li class=${waiting.quarantine > 0 ? 'bad' : ''}><a href="#/quarantine"><span class="tile-name">In quarantine</span><span class="tile-value">${count(waiting.quarantine)}</span><span class="tile-note">${waiting.quarantine > 0 ? 'runs that were given up' : 'no run was given up'}</span></a></li>
    ${(cost || tokens) && html`<li><a href="#/budgets"><span class="tile-name">Spent today</span><span class="tile-value">${money(cost?.spent ?? 0)}</span><span class="tile-note">${isNumber(cost?.limit) ? `of ${money(cost.limit)} for this host` : `${brief(tokens?.spent ?? 0)} tokens; no limit for this host`}</span></a></li>`}
  </ul>`;
}

function Filters({ shown, all, wish }) {
  const states = {};
  for (const agent of all.values()) states[agent.state] = (states[agent.state] ?? 0) + 1;
  return html`<div class="filters" role="search">
    <label class="search"><${Icon} name="search" /><span class="unseen">Find agents</span>
      <input type="search" placeholder="Find by name, description or label" value=${wish.text} onInput=${(event) => looking.set({ ...looking.value, text: event.currentTarget.value })} /></label>
    <div class="choices" role="group" aria-label="Show agents that are">
      ${['', ...kStates.filter((state) => states[state] || state === wish.state)].map((state) => html`<button key=${state} class="choice" aria-pressed=${wish.state === state} onClick=${() => looking.set({ ...looking.value, state })}>
        ${state ? html`<${Status} state=${state} />` : 'all'} <span class="faint number">${count(state ? (states[state] ?? 0) : all.size)}</span></button>`)}
    </div>
    <p class="unseen" role="status">${plural(shown, 'agent')} shown</p>
  </div>`;
}

function Refused({ host }) {
  const refused = host?.refused_agents ?? [];
  if (refused.length === 0) return null;
  const total = host.total_refused_agents ?? refused.length;
  return html`<section class="notice bad" aria-label="Refused manifests"><p><strong>${plural(total, 'manifest')}</strong> ${total === 1 ? 'has a mistake and is' : 'have mistakes and are'} refused. An agent that ran before goes on as it was.</p>
    <${Fold} title="What is wrong">${refused.map((each) => html`<p key=${each.origin}><strong><bdi>${visible(each.agent_id)}</bdi></strong></p><ul class="plain-list">${each.problems.map((problem) => html`<li class="mono">${visible(problem)}</li>`)}</ul>`)}<//></section>`;
}

const NoAgents = () => html`<${Empty} title="No agents yet">
  <p>An agent is a TOML file in one of this host's agent folders: what to do, when, with which model and which tools. A file that is put there works within a second.</p>
  <pre tabindex="0" aria-label="Example"><code>${'agentd init demo      # a folder with an agent that runs as it is\nagentd check demo     # tells every mistake with its line'}</code></pre><//>`;

export function Fleet() {
  const { state, agents, host, problem, more } = useStore(fleet);
  const wish = useStore(looking);
  const shown = useMemo(() => sortAgents(agents, wish), [agents, wish]);
  const sort = (by) => looking.set({ ...wish, by, down: wish.by === by ? !wish.down : false });
  const about = html`<p class="lead">agentd runs LLM agents in the background: each on its own schedule, with its own tools and limits, every step on record. ${host ? html`This host looks after <strong>${plural(agents.size, 'agent')}</strong>.` : ''}</p>`;
  return html`<${Heading} title="Fleet" />${about}
    <${Trouble} problem=${problem} retry=${readFleet} />
    ${state === 'loading' ? html`<${Loading} />` : state === 'ready' && html`
      <${Tiles} agents=${agents} /><${Refused} host=${host} />
      ${agents.size === 0 ? html`<${NoAgents} />` : html`
        <${Filters} shown=${shown.length} all=${agents} wish=${wish} />
        ${more && html`<p class="notice">More agents than are shown here: the first ${count(agents.size)} by name.</p>`}
        ${shown.length === 0 ? html`<${Empty} title="No agent is like that"><p><button onClick=${() => looking.set({ ...wish, text: '', state: '' })}>Show all</button></p><//>`
          : html`<${Rows} label="Agents" kind="fleet" columns=${kColumns} items=${shown} id=${(agent) => agent.agent_id} row=${row} sorted=${wish} onSort=${sort} />`}`}`}`;
}
