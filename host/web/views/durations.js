// How long the latest runs took. The same stands in the table below it, for those who cannot see it.
import { clock, duration, isNumber, plural, words } from '../format.js';
import { toneOf } from '../shapes.js';
import { html, useEffect, useRef } from '../view.js';

const kHeight = 132;
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// A bar for each run, as far from the next one as any other: what matters is how they compare.
function draw(target, runs) {
  const of = (bad) => runs.map((run) => ((toneOf(run.status) === 'bad') === bad ? run.duration_ms / 1000 : null));
  const faint = color('--faint'), line = color('--line');
  const axis = { stroke: faint, font: '11px system-ui', ticks: { show: false } };
  const bars = (name) => ({ fill: color(name), stroke: color(name), width: 0, points: { show: false }, paths: window.uPlot.paths.bars({ size: [0.5, 14], radius: 0.2 }) });
  const every = Math.max(Math.ceil(runs.length / Math.max(Math.floor(target.clientWidth / 110), 1)), 1);
  return new window.uPlot({
    width: target.clientWidth, height: kHeight, legend: { show: false }, cursor: { show: false }, padding: [10, 8, 0, 0],
    scales: { x: { time: false, range: () => [-0.7, runs.length - 0.3] }, y: { range: (_, __, most) => [0, Math.max(most * 1.1, 0.01)] } },
    axes: [{ ...axis, grid: { show: false }, size: 26, splits: () => runs.map((_, i) => i).filter((i) => i % every === 0), values: (_, all) => all.map((i) => clock(runs[i].started_at)) },
      { ...axis, grid: { stroke: line, width: 1 }, size: 64, splits: (u) => [0, u.scales.y.max / 2.2, u.scales.y.max / 1.1], values: (_, all) => all.map((s) => (s === 0 ? '0' : duration(s * 1000))) }],
    series: [{}, bars('--busy'), bars('--bad')],
  }, [runs.map((_, i) => i), of(false), of(true)], target);
}

export function Durations({ runs }) {
  const target = useRef(null);
  const shown = runs.filter((run) => run.started_at && isNumber(run.duration_ms)).reverse();
  const key = shown.map((run) => run.run_id + run.status).join();
  useEffect(() => {
    if (shown.length < 3 || !window.uPlot || !target.current) return undefined;
    let chart = draw(target.current, shown);
    const again = () => { chart.destroy(); if (target.current) chart = draw(target.current, shown); };
    const themes = new MutationObserver(again);
    themes.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', again);
    const wide = new ResizeObserver(() => { if (target.current && target.current.clientWidth !== chart.width) again(); });
    wide.observe(target.current);
    return () => (themes.disconnect(), wide.disconnect(), system.removeEventListener('change', again), chart.destroy());
  }, [key]);
  if (shown.length < 3) return null;
  const bad = shown.filter((run) => toneOf(run.status) === 'bad');
  const times = shown.map((run) => run.duration_ms).sort((a, b) => a - b);
  const told = `${plural(shown.length, 'run')} took ${duration(times[0]) === duration(times.at(-1)) ? duration(times[0]) : `${duration(times[0])} to ${duration(times.at(-1))}`}${bad.length > 0 ? `; ${bad.length} did not end well (${[...new Set(bad.map((run) => words(run.status)))].join(', ')})` : ''}`;
  return html`<figure class="chart"><div ref=${target} role="img" aria-label=${told}></div><figcaption>How long they took. ${told}.</figcaption></figure>`;
}
