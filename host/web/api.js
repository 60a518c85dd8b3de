// The host's HTTP API. A token is kept for this tab alone and travels in a header, never in an address.
import { Store } from './store.js';

const kKept = 'agentd-token';

class Problem extends Error {
  constructor(status, body) {
    super(body?.detail || body?.title || `the host answered ${status}`);
    this.status = status;
    this.errors = Array.isArray(body?.errors) ? body.errors : [];
  }
}

// What stands between the dashboard and the host: nothing, or the reason why a token is asked for.
export const wanted = new Store(null);
let waiting = [];

const token = () => { try { return sessionStorage.getItem(kKept) ?? ''; } catch { return ''; } };
export const hasToken = () => token() !== '';

export function takeToken(text) {
  try { sessionStorage.setItem(kKept, text); } catch { /* asked for again, then */ }
  const those = waiting;
  waiting = [];
  wanted.set(null);
  for (const go of those) go();
}

export function forgetToken() {
  try { sessionStorage.removeItem(kKept); } catch { /* nothing was kept */ }
  location.reload();
}

function waitForToken(used) {
  if (token() !== used) return Promise.resolve();  // somebody was quicker
  wanted.set(used ? 'The host does not know this token.' : 'This host asks for a token.');
  return new Promise((go) => waiting.push(go));
}

// The answer as fetch has it, once it is not "who are you?".
export async function send(path, { headers = {}, ...options } = {}) {
  while (true) {
    const used = token();
    const all = used ? { ...headers, Authorization: `Bearer ${used}` } : headers;
    const answer = await fetch(path, { ...options, headers: all, cache: 'no-store', credentials: 'omit', redirect: 'error' });
    if (answer.status !== 401) return answer;
    await waitForToken(used);
    if (options.signal?.aborted) throw new DOMException('aborted', 'AbortError');
  }
}

// A document of the API. Fails with a Problem, or with what fetch says where the host is not there.
export async function ask(path, { method = 'GET', body, signal } = {}) {
  const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
  const answer = await send(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  let read = null;
  try { read = await answer.json(); } catch { /* a problem without a body */ }
  if (!answer.ok) throw new Problem(answer.status, read);
  return read;
}

export const segment = encodeURIComponent;

// Why something did not work, for people.
export function why(error) {
  if (error instanceof Problem) {
    const details = error.errors.map((each) => `${each.pointer ?? ''} ${each.detail ?? ''}`.trim()).filter(Boolean);
    const text = [error.message, ...details].join('; ');
    if (error.status === 403) return `Not with this token: ${text}`;
    return text;
  }
  if (error instanceof TypeError) return 'The host cannot be reached.';
  return String(error?.message ?? error);
}
