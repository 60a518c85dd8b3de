// Lists of the API come in pages.
import { ask } from './api.js';

// All pages of a list, up to so many items.
export async function pages(path, name, most, signal) {
  const all = [];
  let first = null, cursor = null;
  do {
    const joint = path.includes('?') ? '&' : '?';
    const page = await ask(cursor === null ? path : `${path}${joint}cursor=${encodeURIComponent(cursor)}`, { signal });
    first ??= page;
    all.push(...page[name]);
    cursor = page.next;
  } while (cursor !== null && all.length < most);
  return { ...first, [name]: all.slice(0, most), more: cursor !== null || all.length > most };
}
