// Signs that stand beside a word: each state has a shape of its own, so that none is told by colour alone.
import { html } from './view.js';

const kPaths = {
  check: 'M4.5 8.3l2.4 2.4 4.6-5',
  cross: 'M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2',
  bang: 'M8 4.4v4.4M8 11.3v.1',
  dots: 'M4.6 8h.1M8 8h.1M11.4 8h.1',
  pause: 'M6.4 5.3v5.4M9.6 5.3v5.4',
  clock: 'M8 4.8V8l2.2 1.5',
  dash: 'M5 8h6',
  right: 'M6.9 5.3 9.7 8l-2.8 2.7',
};

// state: [tone, outline, sign]
const kStates = {
  completed: ['good', 'disc', 'check'], ok: ['good', 'disc', 'check'], approve: ['good', 'disc', 'check'], approved: ['good', 'disc', 'check'], loaded: ['good', 'disc', 'check'],
  running: ['busy', 'ring', 'turn'], queued: ['calm', 'ring', 'dots'], waiting: ['warn', 'ring', 'clock'], retrying: ['warn', 'ring', 'clock'],
  failed: ['bad', 'disc', 'cross'], error: ['bad', 'disc', 'cross'], timed_out: ['bad', 'disc', 'clock'], timeout: ['bad', 'disc', 'clock'], broken: ['bad', 'disc', 'cross'],
  quarantined: ['bad', 'square', 'bang'], critical: ['bad', 'square', 'bang'], unknown: ['warn', 'square', 'bang'], warning: ['warn', 'triangle', 'bang'], disabled: ['warn', 'square', 'dash'],
  cancelled: ['calm', 'disc', 'cross'], skipped: ['calm', 'ring', 'dash'], dropped: ['warn', 'ring', 'dash'], missed: ['warn', 'ring', 'dash'], denied: ['warn', 'disc', 'dash'], deny: ['warn', 'disc', 'dash'],
  paused: ['warn', 'ring', 'pause'], stopped: ['calm', 'square', 'none'], idle: ['calm', 'ring', 'none'], began: ['busy', 'ring', 'right'], info: ['calm', 'ring', 'bang'],
};

export const toneOf = (state) => (kStates[state] ?? ['calm'])[0];

const outline = (shape) => {
  if (shape === 'square') return html`<rect class="outline filled" x="2" y="2" width="12" height="12" rx="3" />`;
  if (shape === 'triangle') return html`<path class="outline filled" d="M8 1.8 15 14H1z" stroke-linejoin="round" />`;
  return html`<circle class=${shape === 'disc' ? 'outline filled' : 'outline'} cx="8" cy="8" r="6.4" />`;
};

export function Shape({ state }) {
  const [tone, shape, sign] = kStates[state] ?? ['calm', 'ring', 'none'];
  return html`<svg class="shape ${tone}" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    ${outline(shape)}
    ${sign === 'turn' ? html`<path class="turn" d="M8 4.2A3.8 3.8 0 0 1 11.8 8" />` : kPaths[sign] && html`<path class=${shape === 'ring' ? 'sign' : 'sign inverse'} d=${kPaths[sign]} />`}
  </svg>`;
}

const kIcons = {
  fleet: 'M3 4h10v3.4H3zM3 9.6h10V13H3zM5.4 5.7h.1M5.4 11.3h.1',
  runs: 'M2.6 8h2.6l1.6-4 2.6 8 1.6-4h2.4',
  approvals: 'M8 2.4 13 4.2v3.6c0 3-2 5-5 6-3-1-5-3-5-6V4.2zM5.9 8l1.5 1.5 2.8-3',
  quarantine: 'M5.5 2.6h5l3 3v4.8l-3 3h-5l-3-3V5.6zM8 5.4v3.2M8 10.7v.1',
  alerts: 'M4 11V7.2a4 4 0 0 1 8 0V11l1 1.2H3zM6.8 13.6h2.4',
  budgets: 'M8 2.6v10.8M10.8 5.2C10.3 4.3 9.3 4 8 4 6.4 4 5.2 4.7 5.2 5.9c0 2.8 5.8 1.3 5.8 4.2C11 11.4 9.7 12 8 12c-1.5 0-2.6-.5-3.1-1.5',
  plugins: 'M6 2.6v3M10 2.6v3M4.2 5.6h7.6v2.6a3.8 3.8 0 0 1-7.6 0zM8 12v1.6',
  events: 'M3 4.4h1M6 4.4h7M3 8h1M6 8h7M3 11.6h1M6 11.6h7',
  play: 'M5.6 3.8v8.4L12.4 8z', pause: 'M6 4v8M10 4v8', search: 'M7.2 3a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.4zM10.4 10.4 13.4 13.4',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.8v1M8 13.2v1M1.8 8h1M13.2 8h1M3.6 3.6l.7.7M11.7 11.7l.7.7M3.6 12.4l.7-.7M11.7 4.3l.7-.7',
  moon: 'M12.8 9.6A5.2 5.2 0 0 1 6.4 3.2a5.2 5.2 0 1 0 6.4 6.4z', system: 'M2.6 3.4h10.8v7H2.6zM6 13h4', right: 'M6 4l4 4-4 4', key: 'M9.6 3.2a3.2 3.2 0 1 0 .1 6.3 3.2 3.2 0 0 0-.1-6.3zM7.4 8.6 3 13M4.6 11.4l1.4 1.4',
  model: 'M8 2.4l1.5 4.1L13.6 8l-4.1 1.5L8 13.6 6.5 9.5 2.4 8l4.1-1.5z', tool: 'M10.4 2.8a3 3 0 0 0-3 4L3 11.2 4.8 13l4.4-4.4a3 3 0 0 0 4-3.8L11.4 6.6 9.6 6.4 9.4 4.6z', person: 'M8 2.8a2.4 2.4 0 1 0 0 4.8 2.4 2.4 0 0 0 0-4.8zM3.4 13.4c.4-2.6 2.2-4 4.6-4s4.2 1.4 4.6 4',
};

export const Icon = ({ name }) => html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d=${kIcons[name]} /></svg>`;
