// One agent: what it does, when it does it, and how that went.
import { deleteAgent, pauseAgent, resumeAgent, runNow, runWith, startAgent, stopAgent } from '../actions.js';
import { ask, segment } from '../api.js';
import { act, confirm } from '../dialogs.js';
import { brief, clock, count, exact, isNumber, money, visible, words } from '../format.js';
import { Ago, Answer, Empty, Fact, Facts, Fold, Heading, Line, Meter, Status, Text, Trouble } from '../parts.js';
import { pages } from '../pages.js';
import { useQuery } from '../query.js';
import { Icon } from '../shapes.js';
import { fleet } from '../fleet.js';
import { useStore } from '../store.js';
import { html, useState } from '../view.js';
import { Durations } from './durations.js';
import { rhythm } from './fleet.js';
import { RunRows, changesRuns } from './run_rows.js';

function Buttons({ agent }) {
  const { agent_id: id, state } = agent;
  const held = agent.paused !== null && agent.paused !== undefined;
  const stopped = state === 'stopped';
  return html`<div class="buttons">
    <button class="primary" disabled=${stopped} onClick=${() => runNow(id)}><${Icon} name="play" />Run now</button>
    <button disabled=${stopped} onClick=${() => runWith(id)}>Run with…</button>
    ${stopped ? html`<button onClick=${() => startAgent(id)}>Start</button>`
      : held ? html`<button onClick=${() => resumeAgent(id)}>Resume</button>` : html`<button onClick=${() => pauseAgent(id)}>Pause</button>`}
    ${!stopped && html`<button onClick=${() => stopAgent(id)}>Stop…</button>`}
    ${agent.origin === 'api' && html`<button class="danger-text" onClick=${async () => { if (await deleteAgent(id)) location.hash = '#/'; }}>Delete…</button>`}
  </div>`;
}

function Limits({ agent }) {
  const { budget = {} } = agent;
  const some = Object.keys(budget).length > 0;
  return html`<section class="card" aria-labelledby="limits"><h2 id="limits">Limits</h2>
    ${!some && html`<p class="faint">It asks no model, so it spends nothing.</p>`}
    ${some && html`<h3>Today</h3>`}
    ${some && !isNumber(budget.cost_per_day) && !isNumber(budget.tokens_per_day) && html`<p><span class="number">${money(budget.cost_today ?? 0)}, ${brief(budget.tokens_today ?? 0)} tokens</span> <span class="faint">no daily limit</span></p>`}
    ${isNumber(budget.cost_per_day) && html`<${Meter} used=${budget.cost_today ?? 0} limit=${budget.cost_per_day} label="spent today" />`}
    ${isNumber(budget.tokens_per_day) && html`<${Meter} used=${budget.tokens_today ?? 0} limit=${budget.tokens_per_day} show=${brief} unit="tokens" label="tokens used today" />`}
    ${some && html`<h3>A run</h3><${Facts}>
      ${isNumber(budget.cost_limit) && html`<${Fact} name="Cost"><span class="number">${money(budget.cost_limit)}</span><//>`}
      <${Fact} name="Model calls"><span class="number">${budget.request_limit ? count(budget.request_limit) : 'no limit'}</span><//>
      <${Fact} name="Tokens"><span class="number">${budget.total_tokens_limit ? count(budget.total_tokens_limit) : 'no limit'}</span><//><//>`}
  </section>`;
}

function Slots({ id, agent }) {
  const query = useQuery((signal) => ask(`v1/schedule/${segment(id)}?count=5`, { signal }), `${id} ${agent.next_run} ${agent.state}`);
  return html`<section class="card" aria-labelledby="schedule"><h2 id="schedule">Schedule</h2>
    <p>${agent.cron ? html`<code>${agent.cron}</code>` : rhythm(agent)}</p>
    <${Answer} query=${query}>${({ slots }) => (slots.length > 0
      ? html`<ol class="slots">${slots.map(({ scheduled_at: at }) => html`<li key=${at}><${Ago} at=${at} /><span class="faint number" title=${exact(at)}>${clock(at)}</span></li>`)}</ol>`
      : html`<p class="faint">${agent.state === 'paused' ? 'Nothing while it is paused.' : agent.state === 'stopped' ? 'Nothing while it is stopped.' : 'Nothing is due: it runs when somebody or a trigger asks.'}</p>`)}<//>
  </section>`;
}

function Memory({ id }) {
  const [asked, setAsked] = useState('');
  const query = useQuery((signal) => ask(`v1/memory/${segment(id)}?limit=50${asked ? `&query=${encodeURIComponent(asked)}` : ''}`, { signal }), `${id} ${asked}`, (event) => event.agent_id === id && event.type === 'background_task_completed');
  const list = (value) => value.memory ?? value.entries ?? [];
  const forget = async (entry) => {
    const answer = await confirm({ title: 'Forget this?', text: 'The entry is removed from the agent’s memory, for good.', action: 'Forget it', danger: true });
    if (answer && await act(() => ask(`v1/memory/${segment(id)}/${segment(entry)}`, { method: 'DELETE' }), 'It is forgotten.')) query.reload();
  };
  if (query.problem?.status === 501) return html`<p class="faint">What an agent remembers cannot be looked at yet on this host: not supported yet.</p>`;
  return html`<form class="filters" role="search" onSubmit=${(event) => { event.preventDefault(); setAsked(new FormData(event.currentTarget).get('words').trim()); }}>
      <label class="search"><${Icon} name="search" /><span class="unseen">Search its memory</span><input type="search" name="words" placeholder="Search its memory" /></label></form>
    <${Answer} query=${query}>${(value) => (list(value).length === 0 ? html`<p class="faint">${asked ? 'Nothing like that.' : 'Nothing yet.'}</p>`
      : html`<ul class="memory">${list(value).map((entry, i) => html`<li key=${entry.id ?? entry.entry_id ?? i}>
          <p class="memory-head"><span class="tag">${words(entry.type ?? 'entry')}</span> <${Ago} at=${entry.created_at ?? entry.timestamp ?? entry.at} none="" />
            <button class="quiet" onClick=${() => forget(entry.id ?? entry.entry_id)}>Forget…</button></p>
          <${Text} value=${entry.text ?? entry.content ?? entry} short=${400} label="what it remembers" /></li>`)}</ul>`)}<//>`;
}

function Tools({ agent }) {
  const tools = agent.available_tools ?? [];
  return html`<section class="card" aria-labelledby="tools"><h2 id="tools">Tools</h2>
    ${tools.length === 0 ? html`<p class="faint">None: it can only answer.</p>` : html`<ul class="tags">${tools.slice(0, 60).map((tool) => html`<li key=${tool} class="tag mono">${visible(tool)}</li>`)}${tools.length > 60 && html`<li class="faint">and ${tools.length - 60} more</li>`}</ul>`}
  </section>`;
}

function Held({ paused, state }) {
  if (!paused) return null;
  return html`<p class="notice">${words(state === 'stopped' ? 'stopped' : 'paused')} <${Ago} at=${paused.since} />${paused.by ? html` by <bdi>${visible(paused.by)}</bdi>` : ''}${paused.reason ? html`: <${Line} value=${paused.reason} />` : ''}</p>`;
}

function Whole({ id, agent }) {
  const path = `v1/runs?limit=50&agent=${segment(id)}`;
  const runs = useQuery((signal) => pages(path, 'runs', 50, signal), path, (event) => event.agent_id === id && changesRuns(event.type));
  return html`
    <${Held} paused=${agent.paused} state=${agent.state} />
    ${agent.consecutive_failures > 0 && agent.last_error && html`<div class="notice bad"><p><strong>${agent.consecutive_failures === 1 ? 'Its latest run failed.' : `Its latest ${count(agent.consecutive_failures)} runs failed.`}</strong></p><${Text} value=${agent.last_error} short=${400} label="its latest error" /></div>`}
    <div class="cards">
      <section class="card" aria-labelledby="facts"><h2 id="facts">At a glance</h2><${Facts}>
        <${Fact} name="Next run">${agent.state === 'paused' || agent.state === 'stopped' ? html`<span class="faint">not while ${agent.state}</span>` : html`<${Ago} at=${agent.next_run} none="when asked" />`}<//>
        <${Fact} name="Last run"><${Ago} at=${agent.last_run} none="never" /><//>
        <${Fact} name="Runs"><span class="number">${count(agent.run_count)}</span>${agent.error_count > 0 ? html`, <span class="number">${count(agent.error_count)}</span> failed` : ''}<//>
        <${Fact} name="In its queue"><span class="number">${count(agent.queue_depth)}</span><//>
        <${Fact} name="Comes from"><bdi class="mono wrap">${visible(agent.origin ?? '–')}</bdi><//>
        <${Fact} name="Revision"><span class="number">${agent.revision}</span><//><//></section>
      <${Slots} id=${id} agent=${agent} />
      <${Limits} agent=${agent} />
    </div>
    <${Tools} agent=${agent} />
    <section aria-labelledby="runs"><h2 id="runs">Latest runs</h2>
      <${Answer} query=${runs}>${(value) => (value.runs.length === 0 ? html`<${Empty} title="It has not run yet"><p>Its first run appears here as soon as it begins.</p><//>`
        : html`<${Durations} runs=${value.runs} /><${RunRows} runs=${value.runs} label=${`Runs of ${id}`} />`)}<//></section>
    <section class="card" aria-labelledby="memory"><h2 id="memory">Memory</h2><${Memory} id=${id} /></section>
    ${agent.manifest && html`<section class="card" aria-labelledby="manifest"><h2 id="manifest">Manifest</h2><p class="faint">As it is in force, without what is the default.</p><${Fold} title="Show it"><${Text} value=${agent.manifest} label="manifest" short=${8000} /><//></section>`}`;
}

export function Agent({ id }) {
  const path = `v1/agents/${segment(id)}`;
  const listed = useStore(fleet, (all) => all.agents.get(id));
  const query = useQuery((signal) => ask(path, { signal }), path, (event) => event.agent_id === id && !event.type.startsWith('tool_call_') && event.type !== 'model_call_started');
  const agent = query.value && listed && listed.revision === query.value.revision ? { ...query.value, ...listed } : query.value ?? listed;
  return html`<${Heading} title=${id} above=${html`<a href="#/">Fleet</a>`}>${agent && html`<${Status} state=${agent.state} />`}<//>
    ${agent?.description && html`<p class="lead">${visible(agent.description)}</p>`}
    ${agent && html`<${Buttons} agent=${agent} />`}
    ${query.problem && html`<${Trouble} problem=${query.problem} retry=${query.reload} />`}
    ${agent && html`<${Whole} id=${id} agent=${agent} />`}`;
}
