// Runs as a table: of one agent, or of all.
import { clock, duration, money, brief, visible, words, isNumber, exact } from '../format.js';
import { Ago, Line, Since, Status } from '../parts.js';
import { toAgent, toRun } from '../route.js';
import { Cell, Rows } from '../rows.js';
import { html } from '../view.js';

export const tokensOf = (usage) => (usage ? (usage.input_tokens ?? 0) + (usage.output_tokens ?? 0) : 0);
export const costOf = ({ usage }) => (usage?.requests > 0 ? money(usage.cost ?? 0) : '–');  // what asks no model costs nothing that is known
const beganAt = (run) => run.started_at ?? run.queued_at;

const kWaiting = { approval: 'for approval', retry: 'to try again', budget: 'for budget', provider: 'for its provider' };
export const statusLabel = (run) => (run.status === 'waiting' && run.waiting_for ? `waiting ${kWaiting[run.waiting_for] ?? run.waiting_for}` : words(run.status));

function Outcome({ run }) {
  if (run.error) return html`<span class="bad-text"><${Line} value=${run.error} /></span>`;
  if (run.reason) return html`<${Line} value=${run.reason} />`;
  if (run.result !== null && run.result !== undefined) return html`<${Line} value=${run.result} />`;
  if (run.shortened?.includes('result')) return html`<span class="faint">a long result</span>`;
  return html`<span class="faint">–</span>`;
}

function Took({ run }) {
  if (run.status === 'running') return html`<${Since} at=${run.started_at ?? run.queued_at} />`;
  return isNumber(run.duration_ms) ? html`<span class="number">${duration(run.duration_ms)}</span>` : html`<span class="faint">–</span>`;
}

function row(run, withAgent) {
  return html`
    <${Cell} name="run"><a href=${toRun(run.run_id)}><${Status} state=${run.status} label=${statusLabel(run)} /><span class="unseen">, run ${run.run_id}</span></a><//>
    ${withAgent && html`<${Cell} name="agent"><a href=${toAgent(run.agent_id)}><bdi>${visible(run.agent_id)}</bdi></a><//>`}
    <${Cell} name="began"><${Ago} at=${beganAt(run)} /><span class="second" title=${exact(beganAt(run))}>${clock(beganAt(run))}</span><//>
    <${Cell} name="trigger"><bdi>${visible(words(run.trigger))}</bdi><//>
    <${Cell} name="took"><${Took} run=${run} /><span class="second">${run.steps > 0 ? `${run.steps} ${run.steps === 1 ? 'step' : 'steps'}` : ''}</span><//>
    <${Cell} name="cost"><span class="number">${costOf(run)}</span><span class="second number">${tokensOf(run.usage) ? `${brief(tokensOf(run.usage))} tokens` : ''}</span><//>
    <${Cell} name="outcome"><${Outcome} run=${run} /><//>`;
}

export function RunRows({ runs, withAgent, label }) {
  const columns = [{ name: 'run', title: 'Run' }, ...(withAgent ? [{ name: 'agent', title: 'Agent' }] : []), { name: 'began', title: 'When' }, { name: 'trigger', title: 'Started by' },
    { name: 'took', title: 'Took' }, { name: 'cost', title: 'Cost' }, { name: 'outcome', title: 'Result' }];
  return html`<${Rows} label=${label} kind=${withAgent ? 'runs of-all' : 'runs'} columns=${columns} items=${runs} id=${(run) => run.run_id} row=${(run) => row(run, withAgent)} heights=${[52, 96]} />`;
}

export const changesRuns = (type) => type.startsWith('background_') && type !== 'background_agent_status';
