// The time, for whatever says how long ago.
import { Store } from './store.js';

export const now = new Store(Date.now());
setInterval(() => { if (!document.hidden) now.set(Date.now()); }, 1000);
document.addEventListener('visibilitychange', () => now.set(Date.now()));
