import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

export interface Column<Row> {
  key: string;
  title: string;
  /** What is shown. */
  show: (row: Row) => ComponentChildren;
  /** What rows are sorted by; columns without it are not sortable. */
  sort?: (row: Row) => number | string;
  isText?: boolean;
  /** Text that may break and takes what space there is. */
  isWide?: boolean;
}

interface Props<Row> {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  rowKey: (row: Row) => string;
  /** The row that always stands last. */
  last?: Row;
  empty?: string;
  sortedBy?: string;
}

interface Order {
  key: string;
  isDown: boolean;
}

/** A table whose columns can be sorted with the mouse and the keyboard. */
export function Table<Row>({ label, columns, rows, rowKey, last, empty, sortedBy }: Props<Row>) {
  const [order, setOrder] = useState<Order | null>(sortedBy === undefined ? null : { key: sortedBy, isDown: false });
  const sortBy = (column: Column<Row>) => {
    const isSame = order?.key === column.key;
    // Figures are most telling from the top.
    setOrder({ key: column.key, isDown: isSame ? !order.isDown : !column.isText });
  };
  const sorted = inOrder(rows, columns, order);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard.
    <section class="scroll" tabIndex={0} aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.key} column={column} order={order} sortBy={sortBy} />
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={rowKey(row)}>{cells(columns, row)}</tr>
          ))}
          {rows.length === 0 && empty !== undefined && (
            <tr>
              <td class="text empty" colSpan={columns.length}>
                {empty}
              </td>
            </tr>
          )}
        </tbody>
        {last !== undefined && (
          <tfoot>
            <tr>{cells(columns, last)}</tr>
          </tfoot>
        )}
      </table>
    </section>
  );
}

interface HeadProps<Row> {
  column: Column<Row>;
  order: Order | null;
  sortBy: (column: Column<Row>) => void;
}

function Head<Row>({ column, order, sortBy }: HeadProps<Row>) {
  const kind = kindOf(column);
  if (column.sort === undefined) {
    return (
      <th class={kind} scope="col">
        {column.title}
      </th>
    );
  }
  const sorted = order?.key === column.key ? (order.isDown ? "descending" : "ascending") : "none";
  const arrow = { none: "", ascending: " ▲", descending: " ▼" }[sorted];
  return (
    <th class={kind} scope="col" aria-sort={sorted}>
      <button type="button" class="sort" onClick={() => sortBy(column)}>
        {column.title}
        <span aria-hidden="true">{arrow}</span>
      </button>
    </th>
  );
}

function cells<Row>(columns: Column<Row>[], row: Row) {
  return columns.map((column) => (
    <td key={column.key} class={kindOf(column)}>
      {column.show(row)}
    </td>
  ));
}

function kindOf<Row>(column: Column<Row>): string {
  return [column.isText ? "text" : "figure", column.isWide && "wide"].filter(Boolean).join(" ");
}

function inOrder<Row>(rows: Row[], columns: Column<Row>[], order: Order | null): Row[] {
  const by = columns.find((column) => column.key === order?.key)?.sort;
  if (order === null || by === undefined) {
    return rows;
  }
  const sign = order.isDown ? -1 : 1;
  return [...rows].sort((one, other) => sign * compare(by(one), by(other)));
}

function compare(one: number | string, other: number | string): number {
  return typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other));
}
