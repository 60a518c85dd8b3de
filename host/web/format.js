// Numbers, times and texts as people read them.
export const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);

export function money(dollars) {
  if (!isNumber(dollars)) return '–';
  if (dollars === 0) return '$0';
  if (Math.abs(dollars) < 0.01) return `$${dollars.toPrecision(2).replace(/e.*$/, '')}`.length > 9 ? '<$0.00001' : `$${Number(dollars.toPrecision(2))}`;
  return `$${dollars.toFixed(2)}`;
}

export function count(value) {
  if (!isNumber(value)) return '–';
  return Math.round(value).toLocaleString('en-US');
}

export function brief(value) {  // 12,345,678 as 12.3M
  if (!isNumber(value)) return '–';
  for (const [size, sign] of [[1e9, 'B'], [1e6, 'M'], [1e4, 'k']])
    if (Math.abs(value) >= size) return `${(value / (sign === 'k' ? 1e3 : size)).toFixed(value / size < 10 && sign !== 'k' ? 1 : 0)}${sign}`;
  return count(value);
}

export function bytes(size) {
  if (size < 1024) return `${size} bytes`;
  if (size < 1 << 20) return `${(size / 1024).toFixed(1)} KiB`;
  return `${(size / (1 << 20)).toFixed(1)} MiB`;
}

export function duration(ms) {
  if (!isNumber(ms)) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.round(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.round(s % 60) ? `${Math.floor(s % 60)} s` : ''}`.trim();
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

function span(s) {
  if (s < 60) return `${Math.max(Math.floor(s), 0)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400 * 2) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} d`;
}

// "3 min ago", "in 4 min", as of an instant in ms.
export function relative(text, now) {
  const at = Date.parse(text);
  if (Number.isNaN(at)) return '–';
  const s = (now - at) / 1000;
  if (s > -1 && s < 1.5) return s < 0 ? 'now' : 'just now';
  return s > 0 ? `${span(s)} ago` : `in ${span(-s)}`;
}

const kLocal = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const kClock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });

export function exact(text) {
  const at = Date.parse(text);
  return Number.isNaN(at) ? '' : `${kLocal.format(at)} · ${new Date(at).toISOString()}`;
}

export function clock(text) {
  const at = Date.parse(text);
  return Number.isNaN(at) ? '–' : kClock.format(at);
}

export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
export const words = (name) => String(name ?? '').replaceAll('_', ' ');

// What would be invisible, or turn a line around, is shown: a text cannot pass for another one.
export function visible(text) {
  return String(text)
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, (c) => String.fromCodePoint(0x2400 + c.charCodeAt(0)))
    .replace(/[\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, (c) => `⟨${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`);
}

// A text that is JSON, in lines; any other as it is.
export function readable(value) {
  if (typeof value !== 'string' || value.length > 256_000 || !/^\s*[[{]/.test(value)) return value;
  try { return JSON.parse(value); } catch { return value; }
}

export function pretty(value) {
  if (typeof value === 'string') return value;
  return JSON.stringify(value, null, 2) ?? '';
}
