// One run: what was asked, each step on the way, and what came of it; live while it is under way.
import { cancelRun, decide, forgetRun, retryRun } from '../actions.js';
import { ask, segment } from '../api.js';
import { brief, count, duration, isNumber, money, pretty, readable, visible, words } from '../format.js';
import { Ago, Arguments, Empty, Fact, Facts, Fold, Heading, Line, Loading, Since, Status, Text, Trouble } from '../parts.js';
import { pages } from '../pages.js';
import { useQuery } from '../query.js';
import { toAgent, toRun } from '../route.js';
import { Icon, toneOf } from '../shapes.js';
import { useStore } from '../store.js';
import { now } from '../clock.js';
import { html, useState } from '../view.js';
import { useWords } from '../words.js';
import { costOf, statusLabel, tokensOf } from './run_rows.js';

const kMostSteps = 5000, kDrawn = 200;
const kEnds = new Set(['completed', 'failed', 'timed_out', 'cancelled', 'quarantined', 'skipped', 'dropped', 'missed']);
const kCalls = ['model_call_started', 'model_call_completed', 'tool_call_started', 'tool_call_completed'];
const kRetried = new Set(['failed', 'timed_out', 'cancelled', 'skipped', 'dropped']);

// Calls that have begun and not ended, from the events of a run.
function openCalls(events) {
  const open = new Map();
  for (const { type, payload, timestamp } of events) {
    const key = type.startsWith('tool_') ? `tool ${payload.call_id}` : `model ${payload.step}`;
    if (type.endsWith('_completed')) open.delete(key);
    else open.set(key, { kind: type.startsWith('tool_') ? 'tool' : 'model', step: payload.step, name: payload.tool ?? [payload.provider, payload.model].filter(Boolean).join('/'), begun: timestamp });
  }
  return [...open.values()];
}

const kIcons = { model: 'model', tool: 'tool', approval: 'person' };

// Where a step lies between the run's beginning and its end, as parts of the whole.
function place(line, begin, end) {
  const last = Date.parse(line.finished_at);
  const first = last - (line.duration_ms ?? 0);
  const whole = Math.max(end - begin, 1);
  const left = Math.min(Math.max((first - begin) / whole, 0), 1);
  return { left, width: Math.min(Math.max((last - first) / whole, 0.004), 1 - left) };
}

function Bar({ at, tone }) {
  return html`<span class="track" aria-hidden="true"><span class="track-bar ${tone}" ref=${(bar) => {
    if (!bar) return;
    bar.style.left = `${at.left * 100}%`;
    bar.style.width = `${at.width * 100}%`;
  }}></span></span>`;
}

function gistOf(line) {
  if (line.kind === 'model' && line.calls?.length > 0) return `asks for ${line.calls.map((call) => call.tool).slice(0, 4).join(', ')}${line.calls.length > 4 ? ` and ${line.calls.length - 4} more` : ''}`;
  if (line.kind === 'approval') return `${line.by ? `by ${line.by}` : 'by nobody in time'}${line.detail && line.detail !== line.by ? ` – ${line.detail.replace(`${line.by}: `, '')}` : ''}`;
  return line.kind === 'tool' ? readable(line.content ?? line.detail ?? '') : pretty(line.detail ?? '');
}

// What a tool answered: of an object each member by its name, so that lines of texts are lines.
function Answered({ line }) {
  const value = readable(line.content);
  const named = value !== null && typeof value === 'object' && Object.keys(value).length > 0;
  return named ? html`<${Arguments} value=${value} label=${`result of ${line.name}`} />` : html`<${Text} value=${value} label=${`result of ${line.name}`} />`;
}

function Inside({ line }) {
  const has = (value) => value !== null && value !== undefined && value !== '';
  return html`<div class="step-body">
    ${line.error_class && html`<p class="bad-text">${words(line.error_class)}: <${Line} value=${line.detail} most=${2000} /></p>`}
    ${line.kind === 'tool' && html`<h4>Arguments</h4>${has(line.arguments) ? html`<${Arguments} value=${line.arguments} label=${`arguments of ${line.name}`} />` : html`<p class="faint">none on record</p>`}
      <h4>Result</h4>${has(line.content) ? html`<${Answered} line=${line} />` : html`<p class="faint">none</p>`}`}
    ${line.kind === 'model' && line.outcome === 'unknown' && html`<p class="warn-text"><${Line} value=${line.detail} most=${2000} /></p>`}
    ${line.kind === 'model' && has(line.text) && html`<h4>It said</h4><${Text} value=${line.text} label="the model’s words" />`}
    ${line.kind === 'model' && line.calls?.length > 0 && html`<h4>It asked for</h4>${line.calls.slice(0, 50).map((call) => html`<div class="call" key=${call.call_id}><p class="mono"><bdi>${visible(call.tool)}</bdi></p><${Arguments} value=${call.arguments} label=${`arguments of ${call.tool}`} /></div>`)}`}
    <${Facts}>
      ${line.call_id && html`<${Fact} name="Call"><span class="mono">${line.call_id}</span><//>`}
      ${line.effect && html`<${Fact} name="Effect">${words(line.effect)}<//>`}
      ${line.finish_reason && html`<${Fact} name="Ended with">${words(line.finish_reason)}<//>`}
      ${line.usage && html`<${Fact} name="Tokens in, out"><span class="number">${count(line.usage.input_tokens)}, ${count(line.usage.output_tokens)}</span><//>`}
      ${line.usage?.cache_read_tokens > 0 && html`<${Fact} name="From the cache"><span class="number">${count(line.usage.cache_read_tokens)}</span><//>`}
      <${Fact} name="Ended"><${Ago} at=${line.finished_at} /><//>
    <//></div>`;
}

function Step({ line, begin, end }) {
  const [open, setOpen] = useState(false);
  const tokens = tokensOf(line.usage);
  return html`<li class="step">
    <button class="step-line" aria-expanded=${open} onClick=${() => setOpen(!open)}>
      <span class="step-kind ${line.kind}"><${Icon} name=${kIcons[line.kind] ?? 'tool'} /><span class="unseen">${line.kind}</span></span>
      <span class="step-name"><bdi class="line">${visible(line.kind === 'approval' ? `${line.outcome === 'approve' ? 'Approved' : line.outcome === 'deny' ? 'Denied' : 'Not decided'}: ${line.name}` : line.name)}</bdi><span class="second"><${Line} value=${gistOf(line)} /></span></span>
      <${Bar} at=${place(line, begin, end)} tone=${line.kind === 'model' ? 'model' : toneOf(line.outcome) === 'good' ? 'busy' : toneOf(line.outcome)} />
      <span class="step-took number">${isNumber(line.duration_ms) && line.kind !== 'approval' ? duration(line.duration_ms) : ''}</span>
      <span class="step-cost number">${tokens ? `${brief(tokens)} tokens` : ''}${line.cost > 0 ? html`<span class="second number">${money(line.cost)}</span>` : ''}</span>
      <span class="step-outcome"><${Status} state=${line.outcome} /></span>
    </button>
    ${open && html`<${Inside} line=${line} />`}
  </li>`;
}

function UnderWay({ call, words, begin, end }) {
  const at = { left: Math.min(Math.max((Date.parse(call.begun) - begin) / Math.max(end - begin, 1), 0), 0.996) };
  return html`<li class="step under-way"><div class="step-line">
    <span class="step-kind ${call.kind}"><${Icon} name=${kIcons[call.kind]} /></span>
    <span class="step-name"><bdi class="line">${visible(call.name)}</bdi><span class="second">${call.kind === 'model' ? 'the model is asked' : 'the tool is at work'}</span></span>
    <${Bar} at=${{ ...at, width: 1 - at.left }} tone="moving" /><span class="step-took"><${Since} at=${call.begun} /></span><span class="step-cost"></span><span class="step-outcome"><${Status} state="running" /></span>
  </div>${words && html`<div class="step-body"><pre tabindex="0" role="region" aria-label="what the model says"><code>${visible(words)}</code></pre></div>`}</li>`;
}

function Timeline({ run, steps, open, more }) {
  const ticking = !kEnds.has(run.status);
  const said = useWords(run.run_id, run.status === 'running');
  const ms = useStore(now, (value) => (ticking ? value : 0));
  const [most, setMost] = useState(kDrawn);
  const begin = Date.parse(run.started_at ?? run.queued_at);
  const last = steps.length > 0 ? Date.parse(steps.at(-1).finished_at) : begin;
  const end = Math.max(run.finished_at ? Date.parse(run.finished_at) : ms, last);
  if (steps.length === 0 && open.length === 0)
    return html`<${Empty} title=${ticking ? 'No step has been done yet' : 'No step was done'}><p>${ticking ? 'Model and tool calls appear here as they end.' : run.reason ? words(run.reason) : 'The run ended before its first model call.'}</p><//>`;
  return html`<ol class="steps" aria-label="Steps">
      ${steps.slice(0, most).map((line, i) => html`<${Step} key=${`${i} ${line.kind}`} line=${line} begin=${begin} end=${end} />`)}
      ${open.map((call) => html`<${UnderWay} key=${`${call.kind} ${call.step} ${call.name}`} call=${call} words=${call.kind === 'model' ? said[call.step] : ''} begin=${begin} end=${end} />`)}
    </ol>
    ${steps.length > most && html`<p class="more"><button onClick=${() => setMost(most + kDrawn)}>Show ${count(Math.min(kDrawn, steps.length - most))} more of ${count(steps.length - most)}</button></p>`}
    ${more && html`<p class="faint">The first ${count(kMostSteps)} steps are shown.</p>`}`;
}

function Questions({ run, reload }) {
  const query = useQuery((signal) => ask(`v1/approvals?limit=1000&agent=${segment(run.agent_id)}`, { signal }), `${run.run_id} ${run.status}`, (event) => event.run_id === run.run_id && event.type.startsWith('approval_'));
  const mine = (query.value?.approvals ?? []).filter((each) => each.run_id === run.run_id);
  const go = async (each, approve) => { if (await decide(each, approve)) query.reload(), reload(); };
  return mine.map((each) => html`<section key=${each.call_id} class="notice warn" aria-label=${`Approval of ${each.tool}`}>
    <div class="approval-head"><p>It waits for a person to allow <strong class="mono"><bdi>${visible(each.tool)}</bdi></strong>.</p><div class="buttons"><button class="primary" onClick=${() => go(each, true)}>Approve…</button><button onClick=${() => go(each, false)}>Deny…</button></div></div>
    <${Arguments} value=${each.arguments} label=${`arguments of ${each.tool}`} /></section>`);
}

function Replay({ replay }) {
  const { difference } = replay;
  return html`<p class="notice">A replay of <a class="mono" href=${toRun(replay.of)}>${replay.of}</a>${replay.from_step > 1 ? `, from step ${replay.from_step} on` : ''}${replay.model ? html`, with <bdi>${visible(replay.model)}</bdi>` : ''}.
    ${difference ? html` It went another way at step ${difference.step}: ${words(difference.what)}.` : ''}</p>`;
}

function Whole({ run, steps, open, more, reload }) {
  const usage = run.usage ?? {};
  const ended = kEnds.has(run.status);
  return html`
    ${(!ended || kRetried.has(run.status) || run.status === 'quarantined') && html`<div class="buttons">
      ${!ended && html`<button onClick=${async () => { if (await cancelRun(run.run_id)) reload(); }}>Cancel…</button>`}
      ${kRetried.has(run.status) && !run.replay && html`<button class="primary" onClick=${() => retryRun(run.run_id)}>Run it again</button>`}
      ${run.status === 'quarantined' && html`<a class="button" href="#/quarantine">Decide in quarantine</a>`}
    </div>`}
    ${run.replay && html`<${Replay} replay=${run.replay} />`}
    ${run.status === 'waiting' && run.waiting_for === 'approval' && html`<${Questions} run=${run} reload=${reload} />`}
    ${run.status === 'waiting' && run.waiting_until && html`<p class="notice">It goes on <${Ago} at=${run.waiting_until} />${run.waiting_for === 'approval' ? ' without the call, if nobody has decided' : ''}.</p>`}
    ${run.error && html`<div class="notice bad"><p><strong>${words(run.error_class ?? 'error')}</strong></p><${Text} value=${run.error} label="error" short=${1200} /></div>`}
    ${run.result !== null && run.result !== undefined && html`<section class="card result" aria-labelledby="result"><h2 id="result">Result</h2><${Text} value=${run.result} label="result" /></section>`}
    <section class="card" aria-labelledby="glance"><h2 id="glance" class="unseen">At a glance</h2><${Facts}>
      <${Fact} name="Began"><${Ago} at=${run.started_at} none="not yet" /><//>
      <${Fact} name=${ended ? 'Took' : 'Under way for'}>${isNumber(run.duration_ms) ? duration(run.duration_ms) : ended ? '–' : html`<${Since} at=${run.started_at ?? run.queued_at} />`}<//>
      <${Fact} name="Cost"><span class="number">${costOf(run)}</span><//>
      <${Fact} name="Model calls"><span class="number">${count(usage.requests ?? 0)}</span><//>
      <${Fact} name="Tokens in"><span class="number">${count(usage.input_tokens ?? 0)}</span>${usage.cache_read_tokens > 0 ? html` <span class="faint">(${brief(usage.cache_read_tokens)} cached)</span>` : ''}<//>
      <${Fact} name="Tokens out"><span class="number">${count(usage.output_tokens ?? 0)}</span><//>
      <${Fact} name="Started by"><bdi>${visible(words(run.trigger ?? '–'))}</bdi><//>
      <${Fact} name="Attempt"><span class="number">${run.attempt}</span><//><//></section>
    <section aria-labelledby="steps"><h2 id="steps">Steps</h2><${Timeline} run=${run} steps=${steps} open=${open} more=${more} /></section>
    ${(run.query || run.params) && html`<section class="card" aria-labelledby="asked"><h2 id="asked">What was asked</h2>${run.query && html`<${Text} value=${run.query} label="query" short=${1200} />`}${run.params && html`<${Fold} title="Parameters"><${Text} value=${run.params} label="parameters" /><//>`}</section>`}
    <section class="card" aria-labelledby="record"><h2 id="record">On record</h2><${Facts}>
        ${run.scheduled_at && html`<${Fact} name="Due"><${Ago} at=${run.scheduled_at} /><//>`}
        <${Fact} name="Asked for"><${Ago} at=${run.queued_at} /><//>
        ${run.finished_at && html`<${Fact} name="Ended"><${Ago} at=${run.finished_at} /><//>`}
        <${Fact} name="Session"><bdi class="wrap">${visible(run.session_id ?? '–')}</bdi><//>
        ${run.key && html`<${Fact} name="Key"><bdi class="mono wrap">${visible(run.key)}</bdi><//>`}<//>
      ${ended && run.status !== 'quarantined' && html`<div class="buttons"><button class="danger-text" onClick=${async () => { if (await forgetRun(run.run_id)) location.hash = '#/runs'; }}>Forget…</button></div>`}</section>`;
}

async function load(id, signal) {
  const path = `v1/runs/${segment(id)}`;
  const run = await ask(path, { signal });
  const ended = kEnds.has(run.status);
  const calls = kCalls.map((type) => `type=${type}`).join('&');
  const [{ steps, more }, events] = await Promise.all([pages(`${path}/steps`, 'steps', kMostSteps, signal), run.status !== 'running' ? { events: [] } : pages(`v1/events?run=${segment(id)}&${calls}&limit=1000`, 'events', 10_000, signal)]);
  return { run, steps, more, open: ended ? [] : openCalls(events.events) };
}

export function Run({ id }) {
  const query = useQuery((signal) => load(id, signal), id, (event) => event.run_id === id);
  const value = query.value;
  return html`<${Heading} title=${`Run ${id}`} above=${html`<a href="#/runs">Runs</a>${value && html` · <a href=${toAgent(value.run.agent_id)}><bdi>${visible(value.run.agent_id)}</bdi></a>`}`}>
      <span aria-live="polite">${value && html`<${Status} state=${value.run.status} label=${statusLabel(value.run)} />`}</span><//>
    ${query.problem && html`<${Trouble} problem=${query.problem} retry=${query.reload} />`}
    ${value ? html`<${Whole} ...${value} reload=${query.reload} />` : !query.problem && html`<${Loading} />`}`;
}
