import { type Html, html } from './html.js';

/** The columns of a table, and a row's cells in their order. The first cell heads its row. */
export type Table = Readonly<{ caption: string; columns: readonly string[]; rows: readonly (readonly Html[])[] }>;

/**
 * A table that a narrow screen shows as a list, each cell with its column's name. The roles say again what the elements
 * are: browsers forget it of a table that is laid out as blocks.
 */
export const tableOf = ({ caption, columns, rows }: Table): Html =>
  html`<table role="table" aria-label="${caption}">
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map(column => html`<th role="columnheader" scope="col">${column}</th>`)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(cells => rowOf(columns, cells))}
    </tbody>
  </table>`;

const rowOf = (columns: readonly string[], [head = html``, ...cells]: readonly Html[]): Html =>
  html`<tr role="row">
    <th role="rowheader" scope="row">${head}</th>
    ${cells.map((cell, index) => html`<td role="cell" data-label="${columns[index + 1] ?? ''}"><div>${cell}</div></td>`)}
  </tr> `;
