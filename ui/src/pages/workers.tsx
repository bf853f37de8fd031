import { bytes, count, NONE, rate } from "../format";
import type { Looked } from "../hooks";
import { Notice } from "../parts/notice";
import { type Column, Table } from "../parts/table";
import { Badge } from "../parts/verdict";
import type { Cluster, Worker } from "../types";

const COLUMNS: Column<Worker>[] = [
  { key: "name", title: "Worker", show: (row) => row.name, sort: (row) => row.name, isText: true, isWide: true },
  {
    key: "state",
    title: "State",
    show: (row) => <Badge word={row.state} tone={toneOf(row.state)} />,
    sort: (row) => row.state,
    isText: true,
  },
  { key: "users", title: "#\u00a0users", show: (row) => count(row.users), sort: (row) => row.users },
  {
    key: "cpu",
    title: "CPU usage",
    show: (row) => (row.cpu_percent === null ? NONE : `${rate(row.cpu_percent)} %`),
    sort: (row) => row.cpu_percent ?? -1,
  },
  {
    key: "memory",
    title: "Memory usage",
    show: (row) => bytes(row.memory_bytes),
    sort: (row) => row.memory_bytes ?? -1,
  },
  { key: "losses", title: "Losses", show: (row) => count(row.losses), sort: (row) => row.losses },
  { key: "tags", title: "Tags", show: (row) => row.tags.join(", ") || NONE, isText: true },
  { key: "version", title: "Version", show: (row) => row.version, sort: (row) => row.version, isText: true },
];

function toneOf(state: string) {
  switch (state) {
    case "missing":
    case "quarantined":
      return "bad";
    case "running":
      return "good";
    default:
      return "calm";
  }
}

/** The workers as the leader knows them. */
export function Workers({ cluster }: { cluster: Looked<Cluster> }) {
  return (
    <>
      {cluster.problem !== null && <Notice kind="problem">{cluster.problem}</Notice>}
      <Table
        label="Workers"
        columns={COLUMNS}
        rows={cluster.value?.workers ?? []}
        rowKey={(row) => row.name}
        empty={cluster.value === null ? "Asking the masters…" : "No worker has connected yet."}
        sortedBy="name"
      />
    </>
  );
}
