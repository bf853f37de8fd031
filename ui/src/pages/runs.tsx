import { useState } from "preact/hooks";

import { count, dateTime, duration, NONE, percent } from "../format";
import { useLook } from "../hooks";
import { Notice } from "../parts/notice";
import { type Column, Table } from "../parts/table";
import { Badge, ValidityBadge } from "../parts/verdict";
import type { RunListed, Summary } from "../types";
import { Comparison } from "./comparison";

/** The runs that the masters remember; one is shown, or two side by side. */
export function Runs({ status, theme }: { status: string; theme: string }) {
  const [chosen, setChosen] = useState<string[]>([]);
  const listed = useLook<RunListed[]>("api/v1/runs", 10_000, status);
  const toggle = (id: string) =>
    setChosen((before) => (before.includes(id) ? before.filter((known) => known !== id) : [...before.slice(-1), id]));
  const columns: Column<RunListed>[] = [
    {
      key: "choose",
      title: "Show",
      show: (row) => (
        <input
          type="checkbox"
          aria-label={`Show run ${row.id}`}
          checked={chosen.includes(row.id)}
          onChange={() => toggle(row.id)}
        />
      ),
      isText: true,
    },
    {
      key: "started",
      title: "Started",
      show: (row) => dateTime(row.started_unix_ms),
      sort: (row) => row.started_unix_ms,
      isText: true,
    },
    { key: "scenario", title: "Scenario", show: (row) => row.scenario, isText: true, sort: (row) => row.scenario },
    {
      key: "label",
      title: "Label",
      show: (row) => row.profile ?? NONE,
      isText: true,
      sort: (row) => row.profile ?? "",
    },
    { key: "status", title: "Status", show: (row) => row.status, isText: true, sort: (row) => row.status },
    { key: "length", title: "Length", show: lengthOf },
    { key: "requests", title: "#\u00a0Requests", show: (row) => count(row.requests), sort: (row) => row.requests },
    { key: "failures", title: "Failures", show: (row) => percent(failRatio(row)), sort: failRatio },
    {
      key: "thresholds",
      title: "Thresholds missed",
      show: (row) => (row.thresholds_missed === 0 ? "0" : <Badge word={count(row.thresholds_missed)} tone="bad" />),
      sort: (row) => row.thresholds_missed,
    },
    {
      key: "validity",
      title: "Validity",
      show: (row) => <ValidityBadge verdict={row.validity} />,
      sort: (row) => row.validity,
      isText: true,
    },
  ];
  return (
    <>
      <p class="muted">Tick one run to see it, or two to compare them.</p>
      {listed.problem !== null && <Notice kind="problem">{listed.problem}</Notice>}
      <Table
        label="Runs"
        columns={columns}
        rows={listed.value ?? []}
        rowKey={(row) => row.id}
        empty={listed.value === null ? "Asking the masters…" : "No run has been started yet."}
      />
      <Chosen ids={chosen} status={status} theme={theme} />
    </>
  );
}

function Chosen({ ids, status, theme }: { ids: string[]; status: string; theme: string }) {
  const of = (id: string | undefined) => (id === undefined ? null : `api/v1/runs/${id}`);
  const first = useLook<Summary>(of(ids[0]), "until answered", status);
  const second = useLook<Summary>(of(ids[1]), "until answered", status);
  const problem = first.problem ?? second.problem;
  // The older one is what the newer is held against.
  const runs = [first.value, second.value]
    .filter((run, place) => run !== null && run.run.id === ids[place])
    .sort((one, other) => (one?.run.started_unix_ms ?? 0) - (other?.run.started_unix_ms ?? 0));
  return (
    <>
      {problem !== null && <Notice kind="problem">{problem}</Notice>}
      {runs.length > 0 && <Comparison runs={runs as Summary[]} theme={theme} />}
    </>
  );
}

function failRatio(row: RunListed): number {
  return row.requests === 0 ? 0 : row.failures / row.requests;
}

function lengthOf(row: RunListed): string {
  return row.ended_unix_ms === null ? NONE : duration(row.ended_unix_ms - row.started_unix_ms);
}
