// The latest runs of all agents.
import { words } from '../format.js';
import { Answer, Empty, Heading } from '../parts.js';
import { pages } from '../pages.js';
import { useQuery } from '../query.js';
import { html, useState } from '../view.js';
import { RunRows, changesRuns } from './run_rows.js';

const kStatuses = ['', 'running', 'waiting', 'queued', 'completed', 'failed', 'timed_out', 'cancelled', 'quarantined', 'skipped', 'dropped', 'missed'];
const kStep = 100;

export function Runs({ query: asked }) {
  const [status, setStatus] = useState(kStatuses.includes(asked.get('status')) ? asked.get('status') : '');
  const [most, setMost] = useState(kStep);
  const path = `v1/runs?limit=${kStep}${status ? `&status=${status}` : ''}`;
  const query = useQuery((signal) => pages(path, 'runs', most, signal), `${path} ${most}`, ({ type }) => changesRuns(type));
  return html`<${Heading} title="Runs" />
    <p class="lead">Each time an agent was at work, the newest first. What was due and did not happen is here too, with its reason.</p>
    <div class="filters"><label class="select">Show <select value=${status} onChange=${(event) => { setStatus(event.currentTarget.value); setMost(kStep); }}>
      ${kStatuses.map((each) => html`<option key=${each} value=${each}>${each ? words(each) : 'all runs'}</option>`)}</select></label></div>
    <${Answer} query=${query}>${({ runs, more }) => (runs.length === 0
      ? html`<${Empty} title=${status ? `No run is ${words(status)}` : 'No runs yet'}><p>${status ? '' : 'A run begins when an agent’s schedule says so, when one of its triggers fires, or when you start it from the fleet.'}</p><//>`
      : html`<${RunRows} runs=${runs} withAgent label="Runs" />${more && html`<p class="more"><button onClick=${() => setMost(most + kStep)}>Show older ones</button></p>`}`)}<//>`;
}
