import { count, dateTime, ms, NONE, percent, rate } from "../format";
import { Thresholds, ValidityView } from "../parts/verdict";
import type { Figures, Line, Summary } from "../types";
import { Charts } from "./charts";

interface Measure {
  title: string;
  of: (figures: Figures) => number | null;
  show: (value: number) => string;
}

const MEASURES: Measure[] = [
  { title: "#\u00a0Requests", of: (figures) => figures.requests, show: count },
  { title: "RPS", of: (figures) => figures.rps, show: rate },
  { title: "Failures", of: (figures) => figures.fail_ratio, show: percent },
  { title: "Median (ms)", of: (figures) => figures.latency_us.p50, show: ms },
  { title: "95%ile (ms)", of: (figures) => figures.latency_us.p95, show: ms },
  { title: "99%ile (ms)", of: (figures) => figures.latency_us.p99, show: ms },
];

/** One run, or two side by side: line by line, the second with its difference to the first. */
export function Comparison({ runs, theme }: { runs: Summary[]; theme: string }) {
  const [first, second] = runs;
  if (first === undefined) {
    return null;
  }
  return (
    <>
      <div class="cards">
        {runs.map((run, place) => (
          <section class="card" key={run.run.id} aria-label={`Run ${place + 1}`}>
            <h2>{runs.length > 1 ? `Run ${place + 1}` : "Run"}</h2>
            <p>
              {run.run.scenario} {run.run.profile !== null && <span class="muted">({run.run.profile})</span>}
              <br />
              <span class="muted">
                {dateTime(run.run.started_unix_ms)}, {count(run.run.target_users)} users
                {run.run.stop_reason !== null && `, ended: ${run.run.stop_reason.replaceAll("_", " ")}`}
              </span>
            </p>
            <ValidityView validity={run.validity} />
            <Thresholds thresholds={run.thresholds} />
          </section>
        ))}
      </div>
      <Lines first={first} second={second} />
      {runs.map((run, place) => (
        <section class="part" key={run.run.id} aria-label={`Charts of run ${place + 1}`}>
          {runs.length > 1 && <h2>Run {place + 1}</h2>}
          <Charts run={run.run} points={run.series} incidents={run.incidents} theme={theme} />
        </section>
      ))}
    </>
  );
}

function Lines({ first, second }: { first: Summary; second: Summary | undefined }) {
  const runs = second === undefined ? [first] : [first, second];
  const names = new Map(runs.flatMap((run) => run.endpoints).map((line) => [keyOf(line), line]));
  const rows = [...names].map(([key, { method, name }]) => ({
    key,
    title: `${method} ${name}`.trim(),
    figures: runs.map((run) => run.endpoints.find((line) => keyOf(line) === key)),
  }));
  const total = { key: "", title: "Aggregated", figures: runs.map((run): Figures | undefined => run.totals) };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard.
    <section class="scroll" tabIndex={0} aria-label="Comparison">
      <table>
        <thead>
          <tr>
            <th class="text" scope="col">
              Request
            </th>
            {MEASURES.map((measure) => (
              <th class="figure" scope="col" key={measure.title}>
                {measure.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.key} title={row.title} figures={row.figures} />
          ))}
        </tbody>
        <tfoot>
          <Row title={total.title} figures={total.figures} />
        </tfoot>
      </table>
    </section>
  );
}

function Row({ title, figures }: { title: string; figures: (Figures | undefined)[] }) {
  return (
    <tr>
      <td class="text wide">{title}</td>
      {MEASURES.map((measure) => (
        <td class="figure" key={measure.title}>
          {figures.map((of, place) => (
            <div key={place}>{of === undefined ? NONE : shown(measure, of)}</div>
          ))}
          {figures.length > 1 && <div class="muted">{change(measure, figures)}</div>}
        </td>
      ))}
    </tr>
  );
}

function shown(measure: Measure, figures: Figures): string {
  const value = measure.of(figures);
  return value === null ? NONE : measure.show(value);
}

/** By how much the second differs from the first. */
function change(measure: Measure, [first, second]: (Figures | undefined)[]): string {
  const from = first && measure.of(first);
  const to = second && measure.of(second);
  if (typeof from !== "number" || typeof to !== "number" || from === 0) {
    return "";
  }
  const change = ((to - from) / from) * 100;
  return `${change > 0 ? "+" : change < 0 ? "−" : "±"}${Math.abs(change).toFixed(1)} %`;
}

function keyOf(line: Line): string {
  return `${line.method} ${line.name}`;
}
