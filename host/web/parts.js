// What the views have in common.
import { now } from './clock.js';
import { why } from './api.js';
import { bytes, exact, money, plural, pretty, relative, visible, words, isNumber, duration } from './format.js';
import { hasMoved } from './route.js';
import { Shape, toneOf } from './shapes.js';
import { useStore } from './store.js';
import { html, useEffect, useRef, useState } from './view.js';

export const Status = ({ state, label }) => html`<span class="status ${toneOf(state)}"><${Shape} state=${state} /><span>${visible(label ?? words(state))}</span></span>`;

export function Ago({ at, none = '–' }) {
  const text = useStore(now, (ms) => (at ? relative(at, ms) : none));
  return at ? html`<time datetime=${at} title=${exact(at)}>${text}</time>` : html`<span class="faint">${none}</span>`;
}

// How long something has been under way.
export function Since({ at }) {
  const text = useStore(now, (ms) => {
    const whole = Math.floor(Math.max(ms - Date.parse(at), 0) / 1000);
    return whole < 10 ? `${whole} s` : duration(whole * 1000);
  });
  return html`<span class="number">${text}</span>`;
}

export function Heading({ title, children, above }) {
  const heading = useRef(null);
  useEffect(() => {
    document.title = `${title} · agentd`;
    const at = document.activeElement;
    if (hasMoved() && (at === document.body || at?.closest('nav'))) heading.current?.focus({ preventScroll: true });
  }, [title]);
  return html`<header class="heading">
    ${above && html`<p class="above">${above}</p>`}
    <div class="heading-line"><h1 tabindex="-1" ref=${heading}><bdi>${visible(title)}</bdi></h1><div class="heading-side">${children}</div></div>
  </header>`;
}

export const Empty = ({ title, children }) => html`<div class="empty"><p class="empty-title">${title}</p>${children}</div>`;

export function Trouble({ problem, retry }) {
  if (!problem) return null;
  const later = problem.status === 501;
  return html`<div class=${later ? 'notice' : 'notice bad'} role=${later ? 'note' : 'alert'}>
    <p>${later ? 'This host does not have that yet: ' : ''}${why(problem)}</p>
    ${retry && !later && html`<button onClick=${retry}>Try again</button>`}
  </div>`;
}

export const Loading = () => html`<p class="loading" role="status">Loading…</p>`;

// What a query came to: its value drawn, or why there is none.
export function Answer({ query, children }) {
  if (query.value !== null) return html`${query.problem && html`<${Trouble} problem=${query.problem} retry=${query.reload} />`}${children(query.value)}`;
  return query.problem ? html`<${Trouble} problem=${query.problem} retry=${query.reload} />` : html`<${Loading} />`;
}

const kShown = 2_000, kMore = 64_000;  // characters

// A text of anybody's, as text, and no more of it at once than a page bears.
export function Text({ value, label = 'text', short = kShown }) {
  const whole = pretty(value);
  const [shown, setShown] = useState(short);
  if (whole === '') return html`<span class="faint">empty</span>`;
  const part = visible(whole.slice(0, shown));
  return html`<div class="text">
    <pre tabindex="0" role="region" aria-label=${label}><code>${part}</code>${whole.length > shown ? '…' : ''}</pre>
    ${whole.length > shown && html`<p class="text-more">
      <span class="faint">${bytes(shown)} of ${bytes(whole.length)}</span>
      <button class="quiet" onClick=${() => setShown(shown + kMore)}>Show ${whole.length - shown > kMore ? 'more' : 'the rest'}</button>
      <button class="quiet" onClick=${() => save(whole, label)}>Save as a file</button>
    </p>`}
  </div>`;
}

const kNamed = 24, kName = 64;

// What a tool is called with, by name: texts as they are, so that lines are lines.
export function Arguments({ value, label }) {
  const names = value !== null && typeof value === 'object' && !Array.isArray(value) ? Object.keys(value) : null;
  if (!names || names.length > kNamed || names.some((name) => name.length > kName)) return html`<${Text} value=${value} label=${label} />`;
  if (names.length === 0) return html`<p class="faint">no arguments</p>`;
  return html`<dl class="arguments">${names.map((name) => html`<div key=${name}><dt class="mono"><bdi>${visible(name)}</bdi></dt><dd><${Text} value=${value[name]} label=${`${label}: ${visible(name)}`} /></dd></div>`)}</dl>`;
}

function save(text, label) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  link.download = `${label.replace(/[^a-z0-9]+/gi, '-')}.txt`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// The first line of a text, for a place where there is room for one.
export function Line({ value, most = 160 }) {
  const text = (typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? '')).trimStart();  // an object's first line alone would be a brace
  const end = text.search(/[\r\n]/);
  const line = end < 0 ? text : text.slice(0, end);
  return html`<bdi class="line">${visible(line.slice(0, most))}${text.length > Math.min(line.length, most) ? '…' : ''}</bdi>`;
}

export function Fold({ title, open = false, children }) {
  const [isOpen, setOpen] = useState(open);
  return html`<details class="fold" open=${isOpen} onToggle=${(event) => setOpen(event.currentTarget.open)}><summary>${title}</summary>${isOpen && html`<div class="fold-body">${children}</div>`}</details>`;
}

const kHistory = 12;  // runs

// The latest runs, oldest first: how long each took, and how it ended.
export function History({ runs }) {
  if (!runs?.length) return html`<span class="faint">none yet</span>`;
  const shown = runs.slice(0, kHistory).reverse();
  const took = (run) => (isNumber(run.duration_ms) ? Math.max(run.duration_ms, 0) : 0);
  const longest = Math.max(...shown.map(took), 1);
  const counts = {};
  for (const run of shown) counts[run.status] = (counts[run.status] ?? 0) + 1;
  const told = Object.entries(counts).map(([status, n]) => `${n} ${words(status)}`).join(', ');
  return html`<svg class="bars" viewBox="0 0 ${kHistory * 8} 24" role="img" aria-label="latest ${plural(shown.length, 'run')}: ${told}">
    ${shown.map((run, i) => bar(run, i * 8, took(run) / longest))}
  </svg>`;
}

// A failed one has a gap in it, one that did not happen is only a dot.
function bar(run, x, part) {
  const tone = toneOf(run.status);
  const title = `${words(run.status)}${run.duration_ms ? ` after ${duration(run.duration_ms)}` : ''}`;
  if (['skipped', 'dropped', 'missed'].includes(run.status)) return html`<circle key=${run.run_id} class="bar ${tone}" cx=${x + 3} cy="21" r="2"><title>${title}</title></circle>`;
  const height = 7 + 15 * Math.sqrt(part);
  const top = 23 - height;
  const broken = tone === 'bad';
  return html`<g key=${run.run_id} class="bar ${tone}"><title>${title}</title>
    <rect x=${x} y=${top} width="6" height=${broken ? Math.max(height - 5, 2) : height} rx="1.5" />
    ${broken && html`<rect x=${x} y="20" width="6" height="3" rx="1" />`}
  </g>`;
}

// How much of something is used up.
export function Meter({ used, limit, show = money, unit = '', label }) {
  if (!isNumber(limit) || limit <= 0) return null;
  const ratio = Math.min(Math.max(used / limit, 0), 1);
  const tone = used >= limit ? 'bad' : ratio >= 0.8 ? 'warn' : 'busy';
  return html`<span class="meter-line">
    <span class="number">${show(used)} <span class="faint">of ${show(limit)}${unit && ` ${unit}`}</span></span>
    <span class="meter ${tone}" role="meter" aria-label=${label} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(ratio * 100)}><span ref=${(bar) => { if (bar) bar.style.width = `${ratio * 100}%`; }}></span></span>
  </span>`;
}

export const Facts = ({ children }) => html`<dl class="facts">${children}</dl>`;
export const Fact = ({ name, children }) => html`<div><dt>${name}</dt><dd>${children}</dd></div>`;
