// What is not as it should be, now.
import { ask } from '../api.js';
import { visible, words } from '../format.js';
import { Ago, Answer, Empty, Heading, Line, Status } from '../parts.js';
import { useQuery } from '../query.js';
import { toAgent } from '../route.js';
import { html } from '../view.js';

const kOrder = ['critical', 'warning', 'info'];

const Row = ({ alert }) => html`<tr>
  <td><${Status} state=${alert.severity} /></td>
  <td><strong><bdi>${visible(words(alert.rule))}</bdi></strong><span class="second"><${Line} value=${alert.summary} most=${400} /></span></td>
  <td>${alert.agent_id ? html`<a href=${toAgent(alert.agent_id)}><bdi>${visible(alert.agent_id)}</bdi></a>` : html`<span class="faint">the host</span>`}${alert.subject && html`<span class="second"><bdi>${visible(alert.subject)}</bdi></span>`}</td>
  <td class="extra"><${Ago} at=${alert.since} /></td>
  <td class="extra">${alert.sinks?.length > 0 ? visible(alert.sinks.join(', ')) : html`<span class="faint">nobody</span>`}</td>
</tr>`;

export function Alerts() {
  const query = useQuery((signal) => ask('v1/alerts', { signal }), 'alerts', ({ type }) => type.startsWith('alert_'));
  const sorted = (alerts) => [...alerts].sort((a, b) => kOrder.indexOf(a.severity) - kOrder.indexOf(b.severity));
  return html`<${Heading} title="Alerts" />
    <p class="lead">What is not as it should be now. Each is raised once and goes by itself when its cause has gone.</p>
    <${Answer} query=${query}>${({ alerts }) => (alerts.length === 0
      ? html`<${Empty} title="All is as it should be"><p>Agents say in <code>[alerts]</code> when to call people: when they have been silent for too long, have failed too often in a row, or have nearly used up a budget.</p><//>`
      : html`<div class="scroll" tabindex="0" role="region" aria-label="Alerts"><table class="plain-table"><thead><tr><th scope="col">Severity</th><th scope="col">What</th><th scope="col">Of</th><th scope="col" class="extra">Since</th><th scope="col" class="extra">Told to</th></tr></thead>
          <tbody>${sorted(alerts).map((alert) => html`<${Row} key=${`${alert.rule} ${alert.agent_id} ${alert.subject}`} alert=${alert} />`)}</tbody></table></div>`)}<//>`;
}
