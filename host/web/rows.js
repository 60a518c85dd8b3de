// A long table of which only the rows in sight are drawn. All are equally high: --row in tables.css, --row-narrow on a phone.
import { html, useEffect, useRef, useState } from './view.js';

const kBeyond = 10;  // rows drawn above and below what is in sight
const narrow = matchMedia('(max-width: 760px)');

function useSight(body, count, heights) {
  const [sight, setSight] = useState({ first: 0, last: 40 });
  useEffect(() => {
    let asked = 0;
    const look = () => {
      asked = 0;
      if (!body.current) return;
      const height = narrow.matches ? heights[1] : heights[0];
      const top = -body.current.getBoundingClientRect().top;
      const first = Math.max(Math.floor(top / height / 4) * 4 - kBeyond, 0);
      const last = Math.ceil((top + innerHeight) / height / 4) * 4 + kBeyond;
      setSight((before) => (before.first === first && before.last === last ? before : { first, last }));
    };
    const soon = () => { asked ||= requestAnimationFrame(look); };
    look();
    addEventListener('scroll', soon, { passive: true });
    addEventListener('resize', soon);
    return () => (cancelAnimationFrame(asked), removeEventListener('scroll', soon), removeEventListener('resize', soon));
  }, [count]);
  return sight;
}

const spacer = (rows, heights, key) => (rows > 0 ? html`<tr key=${key} class="spacer" aria-hidden="true" ref=${(row) => { if (row) row.style.height = `${rows * (narrow.matches ? heights[1] : heights[0])}px`; }}></tr>` : null);

// columns: [{name, title, sort?: bool}]. row(item): cells. sorted: {by, down}.
export function Rows({ label, kind, columns, items, id, row, heights = [60, 116], sorted, onSort }) {
  const body = useRef(null);
  const { first, last } = useSight(body, items.length, heights);
  const end = Math.min(last, items.length), begin = Math.min(first, Math.max(end - 1, 0));
  return html`<table class="rows ${kind}" role="table" aria-label=${label} aria-rowcount=${items.length + 1}>
    <thead role="rowgroup"><tr role="row" aria-rowindex="1">${columns.map((column) => html`
      <th key=${column.name} role="columnheader" scope="col" class=${column.name} aria-sort=${sorted?.by === column.name ? (sorted.down ? 'descending' : 'ascending') : undefined}>
        ${column.sort ? html`<button class="sort" onClick=${() => onSort(column.name)}>${column.title}<span class="sort-sign" aria-hidden="true">${sorted?.by === column.name ? (sorted.down ? '↓' : '↑') : ''}</span></button>`
          : column.hidden ? html`<span class="unseen">${column.title}</span>` : column.title}
      </th>`)}</tr></thead>
    <tbody role="rowgroup" ref=${body}>
      ${spacer(begin, heights, 'above')}
      ${items.slice(begin, end).map((item, i) => html`<tr key=${id(item)} role="row" aria-rowindex=${begin + i + 2}>${row(item)}</tr>`)}
      ${spacer(items.length - end, heights, 'below')}
    </tbody>
  </table>`;
}

export const Cell = ({ name, children, label }) => html`<td role="cell" class=${name} data-label=${label}>${children}</td>`;
