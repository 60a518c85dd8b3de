// The page: where one is, how to get elsewhere, and the view itself.
import { forgetToken, hasToken } from './api.js';
import { counts } from './counts.js';
import { Dialogs } from './dialogs.js';
import { fleet, readFleet } from './fleet.js';
import { count, duration, plural } from './format.js';
import { connection, follow } from './live.js';
import { now } from './clock.js';
import { route } from './route.js';
import { Icon } from './shapes.js';
import { useStore } from './store.js';
import { html, render, useEffect, useRef, useState } from './view.js';
import { Fleet } from './views/fleet.js';
import { Agent } from './views/agent.js';
import { Runs } from './views/runs.js';
import { Run } from './views/run.js';
import { Approvals } from './views/approvals.js';
import { Quarantine } from './views/quarantine.js';
import { Alerts } from './views/alerts.js';
import { Budgets } from './views/budgets.js';
import { Plugins } from './views/plugins.js';
import { Events } from './views/events.js';
import { Nowhere } from './views/nowhere.js';

const kPlaces = [
  ['fleet', 'Fleet', Fleet], ['runs', 'Runs', Runs], ['approvals', 'Approvals', Approvals], ['quarantine', 'Quarantine', Quarantine], ['alerts', 'Alerts', Alerts],
  ['budgets', 'Budgets', Budgets], ['plugins', 'Plugins & tools', Plugins], ['events', 'Live events', Events],
];
const kDetails = { agents: ['fleet', Agent], runs: ['runs', Run] };

function Places({ current }) {
  const waiting = useStore(counts);
  const nav = useRef(null);
  useEffect(() => {  // on a phone it is wider than the screen
    const link = nav.current.querySelector('[aria-current]');
    if (link) nav.current.scrollTo({ left: link.offsetLeft - (nav.current.clientWidth - link.offsetWidth) / 2 });
  }, [current]);
  return html`<nav aria-label="Views" ref=${nav}><ul>${kPlaces.map(([name, title]) => html`<li key=${name}>
    <a href="#/${name === 'fleet' ? '' : name}" aria-current=${name === current ? 'page' : undefined}><${Icon} name=${name} /><span>${title}</span>
      ${waiting[name] > 0 && html`<span class="badge ${name === 'approvals' ? 'warn' : 'bad'}"><span aria-hidden="true">${count(waiting[name])}</span><span class="unseen">, ${count(waiting[name])} waiting</span></span>`}</a>
  </li>`)}</ul></nav>`;
}

const kConnections = { live: ['good', 'Live'], connecting: ['calm', 'Connecting'], broken: ['bad', 'Host not reached'] };

const upFor = (ms) => (ms < 60_000 ? 'for less than a minute' : `for ${duration(Math.floor(ms / 60_000) * 60_000)}`);

function HostLine() {
  const host = useStore(fleet, (all) => all.host);
  const state = useStore(connection);
  const since = useStore(now, (ms) => (host ? upFor(host.uptime * 1000 + ms - host.at) : ''));
  const [tone, word] = kConnections[state];
  return html`<div class="host">
    <p class="live ${tone}" role="status"><span class="live-dot" aria-hidden="true"></span>${word}</p>
    ${host && html`<p class="faint">version ${(host.replicas?.find((each) => each.is_this) ?? host.replicas?.[0])?.version ?? '–'}<br />up ${since}${host.replicas?.some((each) => each.draining) ? ', stopping' : ''}</p>`}
  </div>`;
}

const kThemes = [['system', 'as the system has it'], ['light', 'light'], ['dark', 'dark']];

function Themes() {
  const [theme, setTheme] = useState(document.documentElement.dataset.theme ?? 'system');
  const choose = (name) => {
    setTheme(name);
    if (name === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    try { localStorage.setItem('agentd-theme', name); } catch { /* until the page is left, then */ }
  };
  const icons = { system: 'system', light: 'sun', dark: 'moon' };
  return html`<div class="themes" role="group" aria-label="Theme">${kThemes.map(([name, title]) => html`
    <button key=${name} class="icon-button" aria-pressed=${name === theme} title=${`Theme: ${title}`} onClick=${() => choose(name)}><${Icon} name=${icons[name]} /><span class="unseen">${title}</span></button>`)}
    ${hasToken() && html`<button class="icon-button" title="Forget the token" onClick=${forgetToken}><${Icon} name="key" /><span class="unseen">Forget the token</span></button>`}</div>`;
}

// Says what changes elsewhere to those who cannot see it.
function Announcer() {
  const waiting = useStore(counts);
  const before = useRef(waiting);
  const [text, setText] = useState('');
  useEffect(() => {
    const more = (name) => waiting[name] > (before.current[name] ?? 0);
    if (more('approvals')) setText(`${plural(waiting.approvals, 'call')} waiting for approval`);
    else if (more('alerts')) setText(plural(waiting.alerts, 'alert'));
    else if (more('quarantine')) setText(`${plural(waiting.quarantine, 'run')} in quarantine`);
    before.current = waiting;
  }, [waiting]);
  return html`<p class="unseen" role="status" aria-live="polite">${text}</p>`;
}

function App() {
  const at = useStore(route);
  const main = useRef(null);
  useEffect(() => { scrollTo(0, 0); }, [at.view, at.id]);
  const detail = at.id !== '' ? kDetails[at.view] : null;
  const place = kPlaces.find(([name]) => name === at.view);
  const [current, View] = detail ?? (place && at.id === '' ? [place[0], place[2]] : ['', Nowhere]);
  return html`
    <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); main.current.focus(); }}>Skip to the content</a>
    <div class="page">
      <header class="side">
        <a class="brand" href="#/"><svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" /><path d="M9 22.5 16 8l7 14.5" /><circle cx="16" cy="20" r="2.6" /></svg>agentd</a>
        <${Places} current=${current} />
        <div class="side-end"><${HostLine} /><${Themes} /></div>
      </header>
      <main id="main" tabindex="-1" ref=${main}><${View} key=${`${at.view}/${at.id}`} id=${at.id} query=${at.query} /></main>
    </div>
    <${Announcer} /><${Dialogs} />`;
}

render(html`<${App} />`, document.getElementById('app'));
follow(readFleet);
readFleet();
