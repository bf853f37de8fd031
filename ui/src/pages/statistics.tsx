import { count, ms, percent, rate } from "../format";
import { type Column, Table } from "../parts/table";
import { Thresholds, ValidityView } from "../parts/verdict";
import type { Line, Run } from "../types";

const COLUMNS: Column<Line>[] = [
  { key: "type", title: "Type", show: (line) => line.method, sort: (line) => line.method, isText: true },
  { key: "name", title: "Name", show: (line) => line.name, sort: (line) => line.name, isText: true, isWide: true },
  { key: "requests", title: "#\u00a0Requests", show: (line) => count(line.requests), sort: (line) => line.requests },
  { key: "fails", title: "#\u00a0Fails", show: fails, sort: (line) => line.failures },
  latency("median", "Median (ms)", (line) => line.latency_us.p50),
  latency("p95", "95%ile (ms)", (line) => line.latency_us.p95),
  latency("p99", "99%ile (ms)", (line) => line.latency_us.p99),
  latency("average", "Average (ms)", (line) => line.latency_us.mean),
  latency("min", "Min (ms)", (line) => line.latency_us.min),
  latency("max", "Max (ms)", (line) => line.latency_us.max),
  {
    key: "size",
    title: "Average size (bytes)",
    show: (line) => count(Math.round(line.mean_content_bytes)),
    sort: (line) => line.mean_content_bytes,
  },
  {
    key: "rps",
    title: "Current RPS",
    show: (line) => rate(line.current_rps ?? 0),
    sort: (line) => line.current_rps ?? 0,
  },
  {
    key: "failures_per_s",
    title: "Current Failures/s",
    show: (line) => rate(line.current_failures_per_s ?? 0),
    sort: (line) => line.current_failures_per_s ?? 0,
  },
];

function fails(line: Line) {
  return line.failures === 0 ? (
    "0"
  ) : (
    <span class="bad" title={percent(line.fail_ratio)}>
      {count(line.failures)}
    </span>
  );
}

function latency(key: string, title: string, of: (line: Line) => number | null): Column<Line> {
  return { key, title, show: (line) => ms(of(line)), sort: (line) => of(line) ?? -1 };
}

const keyOf = (line: Line) => `${line.method} ${line.name}`;

/** Locust's table, with what the run is held to. */
export function Statistics({ run }: { run: Run }) {
  return (
    <>
      <Table
        label="Requests"
        columns={COLUMNS}
        rows={run.endpoints}
        rowKey={keyOf}
        last={{ ...run.totals, method: "", name: "Aggregated" }}
        empty="No request has ended yet."
        sortedBy="name"
      />
      {run.groups.length > 0 && (
        <>
          <h2>Transactions</h2>
          <Table label="Transactions" columns={COLUMNS} rows={run.groups} rowKey={keyOf} sortedBy="name" />
        </>
      )}
      <div class="cards">
        <section class="card">
          <h2>Validity</h2>
          <ValidityView validity={run.validity} />
        </section>
        {run.thresholds.length > 0 && (
          <section class="card">
            <h2>Thresholds</h2>
            <Thresholds thresholds={run.thresholds} />
          </section>
        )}
      </div>
    </>
  );
}
