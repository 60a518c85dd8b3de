// A value that views show, and are drawn again with when it changes.
import { useState, useLayoutEffect } from './view.js';

export class Store {
  #listeners = new Set();
  constructor(value) { this.value = value; }
  set(value) {
    if (Object.is(value, this.value)) return;
    this.value = value;
    for (const listener of [...this.#listeners]) listener(value);
  }
  change(how) { this.set(how(this.value)); }
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export function useStore(store, pick = (value) => value) {
  const [, draw] = useState(0);
  const picked = pick(store.value);
  useLayoutEffect(() => {
    let shown = picked;
    const look = (value) => {
      const now = pick(value);
      if (Object.is(now, shown)) return;
      shown = now;
      draw((n) => n + 1);
    };
    look(store.value);
    return store.listen(look);
  }, [store]);
  return picked;
}
