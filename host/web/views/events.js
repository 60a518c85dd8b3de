// Everything that happens, as it happens.
import { clock, exact, pretty, visible, words } from '../format.js';
import { connection, readPast, recent } from '../live.js';
import { Empty, Heading, Line, Status, Text } from '../parts.js';
import { toAgent, toRun } from '../route.js';
import { Icon } from '../shapes.js';
import { useStore } from '../store.js';
import { html, useEffect, useState } from '../view.js';

const kDrawn = 300;

const kTones = [[/_(error|failed|quarantined|exhausted|undelivered)$/, 'failed'], [/_(completed|delivered|cleared|loaded)$/, 'completed'], [/_(started|resumed)$/, 'began'], [/_(waiting|retrying|requested|warning|paused)$/, 'waiting'], [/_(skipped|dropped|missed|gated|cancelled|stopped|deleted)$/, 'skipped'], [/alert_raised$/, 'warning']];
function stateOf({ type, payload = {} }) {
  if (type.endsWith('_call_completed') && (payload.error || (payload.outcome && payload.outcome !== 'ok'))) return 'failed';
  return (kTones.find(([pattern]) => pattern.test(type)) ?? [null, 'idle'])[1];
}

// The words of an event's payload that say most, in a line.
function gist({ type, payload = {} }) {
  const { status, tool, model, step, reason, error, summary, result, trigger, outcome, decision, spent, limit } = payload;
  const parts = [status && words(status), tool ?? (model && type.startsWith('model_') ? model : null), step ? `step ${step}` : null, outcome, decision, trigger && `by ${words(trigger)}`, spent !== undefined && limit !== undefined ? `${spent} of ${limit}` : null, summary ?? error ?? reason ?? (result !== undefined && result !== null ? pretty(result) : null)];
  return parts.filter(Boolean).join(' · ');
}

function Row({ event }) {
  const [open, setOpen] = useState(false);
  return html`<li class="event">
    <button class="event-line" aria-expanded=${open} onClick=${() => setOpen(!open)}>
      <time class="number faint" datetime=${event.timestamp} title=${exact(event.timestamp)}>${clock(event.timestamp)}</time>
      <${Status} state=${stateOf(event)} label=${words(event.type.replace(/^background_/, ''))} />
      <bdi class="event-agent">${visible(event.agent_id ?? '')}</bdi>
      <span class="event-gist faint"><${Line} value=${gist(event)} most=${200} /></span>
    </button>
    ${open && html`<div class="event-body"><p class="faint small"><span class="mono">${event.id}</span>${event.agent_id && html` · <a href=${toAgent(event.agent_id)}>the agent</a>`}${event.run_id && html` · <a href=${toRun(event.run_id)}>the run</a>`}</p><${Text} value=${event.payload ?? {}} label="payload" /></div>`}
  </li>`;
}

export function Events() {
  const live = useStore(recent);
  const state = useStore(connection);
  const [held, setHeld] = useState(null);
  const [text, setText] = useState('');
  useEffect(() => { readPast(); }, []);
  const all = held ?? live;
  const wanted = text.trim().toLowerCase();
  const fits = (event) => !wanted || `${event.type} ${words(event.type)} ${event.agent_id ?? ''} ${event.run_id ?? ''}`.toLowerCase().includes(wanted);
  const shown = all.filter(fits).slice(-kDrawn).reverse();
  const missed = held ? Math.max(live.filter((event) => event.id > (held.at(-1)?.id ?? '')).length, 0) : 0;
  return html`<${Heading} title="Live events"><button aria-pressed=${held !== null} onClick=${() => setHeld(held ? null : live)}><${Icon} name=${held ? 'play' : 'pause'} />${held ? `Go on${missed ? ` (${missed} new)` : ''}` : 'Pause'}</button><//>
    <p class="lead">Every step of every agent as it is put on record, the newest first. The whole past is in <code>agentd events</code>.</p>
    <div class="filters" role="search"><label class="search"><${Icon} name="search" /><span class="unseen">Filter events</span><input type="search" placeholder="Filter by type, agent or run" value=${text} onInput=${(event) => setText(event.currentTarget.value)} /></label></div>
    ${shown.length === 0 ? html`<${Empty} title=${all.length === 0 ? 'Nothing has happened yet' : 'Nothing like that has happened'}><p>${state === 'live' ? 'What happens from now on appears here by itself.' : 'The host is not reached at the moment.'}</p><//>`
      : html`<ol class="events" aria-label="Events, newest first">${shown.map((event) => html`<${Row} key=${event.id} event=${event} />`)}</ol>`}`;
}
