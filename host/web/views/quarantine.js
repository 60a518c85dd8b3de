// Runs that were given up until a person has looked at them.
import { dropRun, editRun, releaseRun } from '../actions.js';
import { ask, segment } from '../api.js';
import { act } from '../dialogs.js';
import { visible, words } from '../format.js';
import { Ago, Answer, Empty, Fact, Facts, Heading, Text } from '../parts.js';
import { pages } from '../pages.js';
import { useQuery } from '../query.js';
import { toAgent, toRun } from '../route.js';
import { html } from '../view.js';

const kMost = 200;

function Given({ run, reload }) {
  const edit = () => act(async () => { if (await editRun(await ask(`v1/runs/${segment(run.run_id)}`))) reload(); });
  const then = (doing) => async () => { if (await doing(run.run_id)) reload(); };
  return html`<li class="card">
    <div class="approval-head"><p><a href=${toAgent(run.agent_id)}><bdi>${visible(run.agent_id)}</bdi></a> · <a class="mono" href=${toRun(run.run_id)}>${run.run_id}</a></p>
      <div class="buttons"><button class="primary" onClick=${then(releaseRun)}>Let it go on</button><button onClick=${edit}>Edit…</button><button class="danger-text" onClick=${then(dropRun)}>Drop…</button></div></div>
    ${run.error && html`<${Text} value=${run.error} short=${600} label="why it was given up" />`}
    <${Facts}><${Fact} name="Given up"><${Ago} at=${run.finished_at} /><//><${Fact} name="Why">${words(run.error_class ?? run.reason ?? '–')}<//><${Fact} name="Started by">${visible(words(run.trigger))}<//><${Fact} name="Attempt"><span class="number">${run.attempt}</span>, <span class="number">${run.steps}</span> steps done<//><//>
  </li>`;
}

export function Quarantine() {
  const query = useQuery((signal) => pages('v1/quarantine?limit=100', 'quarantine', kMost, signal), 'quarantine',
    ({ type }) => type === 'background_task_quarantined' || type === 'background_task_dropped' || type === 'background_task_queued' || type === 'background_task_resumed');
  return html`<${Heading} title="Quarantine" />
    <p class="lead">Runs that were given up: they brought their worker down again and again, or an item of a batch had used up its retries. Nothing is lost; each waits here until somebody lets it go on or drops it.</p>
    <${Answer} query=${query}>${({ quarantine }) => (quarantine.length === 0 ? html`<${Empty} title="Nothing is in quarantine"><p>That is how it should be.</p><//>`
      : html`<ul class="stack" aria-label="Runs in quarantine">${quarantine.map((run) => html`<${Given} key=${run.run_id} run=${run} reload=${query.reload} />`)}</ul>`)}<//>`;
}
