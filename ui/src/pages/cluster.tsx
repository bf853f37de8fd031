import { useState } from "preact/hooks";

import { act } from "../api";
import { count, NONE } from "../format";
import type { Looked } from "../hooks";
import { Notice } from "../parts/notice";
import { type Column, Table } from "../parts/table";
import { Badge } from "../parts/verdict";
import type { Cluster, Master, Member } from "../types";

/** The masters, and how to hand the lead on. */
export function ClusterPage({ cluster, master }: { cluster: Looked<Cluster>; master: Master | null }) {
  const [wanted, setWanted] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const known = cluster.value;
  const transfer = async (to: string) => {
    setWanted(to);
    setProblem(null);
    try {
      await act("api/v1/cluster/transfer", { to });
    } catch (error) {
      setProblem(`${to} does not lead: ${error instanceof Error ? error.message : String(error)}`);
    }
    setWanted(null);
  };
  const columns: Column<Member>[] = [
    { key: "name", title: "Master", show: (row) => row.name, sort: (row) => row.name, isText: true, isWide: true },
    {
      key: "role",
      title: "Role",
      show: (row) => <Badge word={row.role} tone={row.role === "leader" ? "good" : "calm"} />,
      sort: (row) => row.role,
      isText: true,
    },
    { key: "reachable", title: "Answers", show: reachable, isText: true },
    { key: "lag", title: "Lag (entries)", show: (row) => (row.lag === null ? NONE : count(row.lag)) },
    { key: "match", title: "Log up to", show: (row) => (row.match_index === null ? NONE : count(row.match_index)) },
    { key: "priority", title: "Priority", show: (row) => count(row.priority), sort: (row) => row.priority },
    { key: "address", title: "Address", show: (row) => `${row.host}:${row.port}, web ${row.web_port}`, isText: true },
    {
      key: "transfer",
      title: "Lead",
      show: (row) =>
        row.role === "leader" ? (
          <span class="muted">leads</span>
        ) : (
          <button type="button" disabled={wanted !== null} onClick={() => transfer(row.name)}>
            {wanted === row.name ? "Handing over…" : `Hand over to ${row.name}`}
          </button>
        ),
      isText: true,
    },
  ];
  return (
    <>
      <dl class="facts">
        <Fact name="Leader" value={master?.leader ?? known?.leader?.name ?? "none at the moment"} />
        <Fact name="Term" value={master === null ? NONE : String(master.term)} />
        <Fact name="This page is served by" value={master?.name ?? NONE} />
        <Fact name="Log applied up to" value={known === null ? NONE : count(known.applied)} />
        <Fact name="Log committed up to" value={known === null ? NONE : count(known.committed)} />
      </dl>
      {problem !== null && <Notice kind="problem">{problem}</Notice>}
      {cluster.problem !== null && <Notice kind="problem">{cluster.problem}</Notice>}
      {known?.warnings.map((warning) => (
        <Notice kind="hint" key={warning}>
          {warning}
        </Notice>
      ))}
      <Table
        label="Masters"
        columns={columns}
        rows={known?.members ?? []}
        rowKey={(row) => row.name}
        empty="Asking the masters…"
      />
    </>
  );
}

function reachable({ is_reachable }: Member) {
  if (is_reachable === null) {
    return NONE;
  }
  return is_reachable ? "yes" : <span class="bad">no</span>;
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
