import { count, rate } from "../format";
import { Chart, type Curve } from "../parts/chart";
import type { Incidents, Point, RunHead } from "../types";

const toMs = (us: number | null) => (us === null ? null : us / 1_000);
const showMs = (value: number) => `${value < 10 ? value.toFixed(2) : count(Math.round(value))} ms`;

const RATES: Curve[] = [
  { label: "RPS", color: "--curve-1", of: (point) => point.rps, show: rate },
  { label: "Failures/s", color: "--curve-bad", of: (point) => point.failures_per_s, show: rate },
];

const LATENCIES: Curve[] = [
  { label: "50th percentile", color: "--curve-1", of: (point) => toMs(point.p50_us), show: showMs },
  { label: "95th percentile", color: "--curve-2", of: (point) => toMs(point.p95_us), show: showMs },
  { label: "99th percentile", color: "--curve-3", of: (point) => toMs(point.p99_us), show: showMs },
];

const USERS: Curve[] = [{ label: "Users", color: "--curve-1", of: (point) => point.users, show: count }];

const NO_INCIDENTS: Incidents = { leader_changes_s: [], lost_workers: [] };

interface Props {
  run: RunHead;
  points: Point[];
  incidents: Incidents | undefined;
  theme: string;
}

/** The run over time. */
export function Charts({ run, points, incidents = NO_INCIDENTS, theme }: Props) {
  // Not all workers have reported the newest second of a run that goes on.
  const shown = run.status === "stopped" ? points : points.slice(0, -1);
  const shared = { run, points: shown, incidents, theme };
  return (
    <div class="charts">
      <MarkLegend incidents={incidents} />
      <Chart title="Total requests per second" curves={RATES} {...shared} />
      <Chart title="Response times (ms)" curves={LATENCIES} {...shared} />
      <Chart title="Number of users" curves={USERS} {...shared} />
    </div>
  );
}

/** What the vertical lines stand for, also for who cannot see them. */
function MarkLegend({ incidents }: { incidents: Incidents }) {
  const at = (second: number) => `${second.toFixed(1)} s`;
  return (
    <ul class="marks">
      {incidents.leader_changes_s.map((second) => (
        <li key={second} class="election">
          Another master took the lead at {at(second)}
        </li>
      ))}
      {incidents.lost_workers.map((lost) => (
        <li key={lost.name + lost.at_s} class="loss">
          Worker {lost.name} was lost at {at(lost.at_s)}
        </li>
      ))}
    </ul>
  );
}
