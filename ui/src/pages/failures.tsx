import { count, dateTime } from "../format";
import { type Column, Table } from "../parts/table";
import type { Failure, Run } from "../types";

const COLUMNS: Column<Failure>[] = [
  { key: "count", title: "#\u00a0Failures", show: (row) => count(row.occurrences), sort: (row) => row.occurrences },
  { key: "method", title: "Method", show: (row) => row.method, sort: (row) => row.method, isText: true },
  { key: "name", title: "Name", show: (row) => row.name, sort: (row) => row.name, isText: true, isWide: true },
  { key: "message", title: "Message", show: (row) => row.error, sort: (row) => row.error, isText: true, isWide: true },
  {
    key: "first",
    title: "First seen",
    show: (row) => dateTime(row.first_seen_unix_ms),
    sort: (row) => row.first_seen_unix_ms,
  },
  {
    key: "last",
    title: "Last seen",
    show: (row) => dateTime(row.last_seen_unix_ms),
    sort: (row) => row.last_seen_unix_ms,
  },
];

/** What went wrong, by kind. */
export function Failures({ run }: { run: Run }) {
  const keyOf = (row: Failure) => `${row.method} ${row.name} ${row.error}`;
  return <Table label="Failures" columns={COLUMNS} rows={run.errors} rowKey={keyOf} empty="No request has failed." />;
}
