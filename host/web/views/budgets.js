// What may be spent today, and what has been.
import { raiseBudget } from '../actions.js';
import { brief, isNumber, money, visible } from '../format.js';
import { Answer, Empty, Heading, Meter } from '../parts.js';
import { pages } from '../pages.js';
import { useQuery } from '../query.js';
import { toAgent } from '../route.js';
import { html } from '../view.js';

const kMost = 1000;

function Row({ budget, reload }) {
  const isMoney = budget.resource === 'cost';
  const isLimited = isNumber(budget.limit);
  const show = isMoney ? money : brief;
  const agent = budget.scope.startsWith('agent:') ? budget.scope.slice(6) : null;
  return html`<tr>
    <th scope="row">${agent ? html`<a href=${toAgent(agent)}><bdi>${visible(agent)}</bdi></a>` : 'the whole host'}</th>
    <td class="extra">${isMoney ? 'dollars' : 'tokens'}</td>
    <td class="wide">${isLimited ? html`<${Meter} used=${budget.spent + budget.held} limit=${budget.limit} show=${show} unit=${isMoney ? '' : 'tokens'} label=${`used by ${budget.scope}`} />` : html`<span class="number">${show(budget.spent)}${isMoney ? '' : ' tokens'}</span> <span class="faint">no limit</span>`}</td>
    <td class="number extra">${budget.held > 0 ? show(budget.held) : html`<span class="faint">–</span>`}</td>
    <td class="number extra">${budget.raised > 0 ? show(budget.raised) : html`<span class="faint">–</span>`}</td>
    <td>${isLimited && html`<button onClick=${async () => { if (await raiseBudget(budget)) reload(); }}>Raise…<span class="unseen"> ${budget.scope} ${budget.resource}</span></button>`}</td>
  </tr>`;
}

export function Budgets() {
  const query = useQuery((signal) => pages('v1/budgets?limit=1000', 'budgets', kMost, signal), 'budgets', ({ type }) => type.startsWith('budget_') || type === 'model_call_completed' || type === 'model_call_started');
  return html`<${Heading} title="Budgets" />
    <p class="lead">What was spent today, a day of UTC, and the limits of it. Before each model call under a limit the most that it can come to is held; a call that does not fit is not made.</p>
    <${Answer} query=${query}>${({ budgets, more }) => (budgets.length === 0
      ? html`<${Empty} title="Nothing was spent today"><p>Nor is there a daily limit. An agent has one with <code>[limits] cost_per_day = 5.00</code> in its manifest, the host with <code>[budget] cost_per_day = 10.00</code> in <code>agentd.toml</code>. Every run has limits of its own in any case.</p><//>`
      : html`<div class="scroll" tabindex="0" role="region" aria-label="Budgets"><table class="plain-table"><thead><tr><th scope="col">Of</th><th scope="col" class="extra">In</th><th scope="col">Used</th><th scope="col" class="extra">Held now</th><th scope="col" class="extra">Raised</th><th scope="col"><span class="unseen">Actions</span></th></tr></thead>
          <tbody>${budgets.map((budget) => html`<${Row} key=${`${budget.scope} ${budget.resource}`} budget=${budget} reload=${query.reload} />`)}</tbody></table></div>${more && html`<p class="faint">The first ${kMost} are shown.</p>`}`)}<//>`;
}
