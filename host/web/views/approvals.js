// Calls that wait for a person's word.
import { decide } from '../actions.js';
import { visible, words } from '../format.js';
import { Ago, Answer, Arguments, Empty, Fact, Facts, Heading } from '../parts.js';
import { pages } from '../pages.js';
import { useQuery } from '../query.js';
import { toAgent, toRun } from '../route.js';
import { html } from '../view.js';

const kMost = 200;

const kAbout = { call: 'wants to call', outcome: 'does not know what became of its call of' };

function Asked({ approval, reload }) {
  const go = async (approve) => { if (await decide(approval, approve)) reload(); };
  return html`<li class="card approval">
    <div class="approval-head">
      <p><a href=${toAgent(approval.agent_id)}><bdi>${visible(approval.agent_id)}</bdi></a> ${kAbout[approval.about] ?? words(approval.about) ?? 'asks about'} <strong class="mono"><bdi>${visible(approval.tool)}</bdi></strong></p>
      <div class="buttons"><button class="primary" onClick=${() => go(true)}>Approve…</button><button onClick=${() => go(false)}>Deny…</button></div>
    </div>
    ${approval.about === 'outcome' && html`<p class="faint">The host died while the call was under way: it may or may not have happened, and is not made again. Approve to let the run go on, deny to give it up.</p>`}
    <${Arguments} value=${approval.arguments} label=${`arguments of ${approval.tool}`} />
    <${Facts}><${Fact} name="Asked"><${Ago} at=${approval.requested_at} /><//><${Fact} name="Denied by itself"><${Ago} at=${approval.expires_at} /><//>
      <${Fact} name="Run"><a class="mono" href=${toRun(approval.run_id)}>${approval.run_id}</a>, step ${approval.step}<//><//>
  </li>`;
}

export function Approvals() {
  const query = useQuery((signal) => pages('v1/approvals?limit=100', 'approvals', kMost, signal), 'approvals', ({ type }) => type.startsWith('approval_') || type === 'background_task_cancelled');
  return html`<${Heading} title="Approvals" />
    <p class="lead">Tool calls that an agent may make only when a person agrees. The run waits, and costs nothing meanwhile; the first decision counts.</p>
    <${Answer} query=${query}>${({ approvals, more }) => (approvals.length === 0
      ? html`<${Empty} title="Nothing waits for you"><p>An agent’s manifest says which tools need a person: <code>[tools] ask = ["fs.write_file"]</code>. Such calls appear here, with their arguments.</p><//>`
      : html`<ul class="stack" aria-label="Calls that wait">${approvals.map((approval) => html`<${Asked} key=${approval.call_id} approval=${approval} reload=${query.reload} />`)}</ul>${more && html`<p class="faint">There are more; decide about some of these first.</p>`}`)}<//>`;
}
