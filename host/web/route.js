// Where the browser is: "#/runs/ID". Addresses can be kept and sent on; they never hold a token.
import { Store } from './store.js';

function read() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const parts = path.split('/').map((part) => { try { return decodeURIComponent(part); } catch { return part; } });
  return { view: parts[0] || 'fleet', id: parts.slice(1).join('/'), query: new URLSearchParams(query), hash: location.hash };
}

export const route = new Store(read());
let moves = 0;
export const hasMoved = () => moves > 0;  // since the page was loaded
addEventListener('hashchange', () => { ++moves; route.set(read()); });

export const toAgent = (id) => `#/agents/${encodeURIComponent(id)}`;
export const toRun = (id) => `#/runs/${encodeURIComponent(id)}`;
