// What masters say: the keys of docs/http.md and docs/summary.schema.json that these pages show.

export interface Distribution {
  count: number;
  min: number | null;
  mean: number | null;
  max: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

export interface Figures {
  requests: number;
  failures: number;
  fail_ratio: number;
  rps: number;
  failures_per_s: number;
  mean_content_bytes: number;
  latency_us: Distribution;
  current_rps?: number;
  current_failures_per_s?: number;
}

export interface Line extends Figures {
  method: string;
  name: string;
}

export interface Failure {
  method: string;
  name: string;
  error: string;
  occurrences: number;
  first_seen_unix_ms: number;
  last_seen_unix_ms: number;
}

export interface Threshold {
  text: string;
  verdict: "passed" | "failed" | "aborted" | "no_data";
  observed: number | null;
  unit: "us" | "ratio" | "per_s" | "count" | null;
  reason: string | null;
}

export interface Validity {
  verdict: "VALID" | "DEGRADED" | "INVALID";
  reasons: { verdict: string; reason: string }[];
}

export interface Point {
  second: number;
  unix_ms: number;
  width_s: number;
  users: number;
  requests: number;
  rps: number;
  failures_per_s: number;
  p50_us: number | null;
  p95_us: number | null;
  p99_us: number | null;
}

export type RunStatus = "ready" | "spawning" | "running" | "stopping" | "stopped";

export interface RunHead {
  id: string;
  scenario: string;
  host: string | null;
  profile: string | null;
  status: RunStatus;
  stop_reason: string | null;
  started_unix_ms: number;
  ended_unix_ms: number | null;
  elapsed_s: number;
  target_users: number;
  spawn_rate_per_s: number;
  run_time_s: number | null;
  users: number;
}

export interface Incidents {
  leader_changes_s: number[];
  lost_workers: { name: string; at_s: number }[];
}

/** A run as the live feed tells it, or as its summary does, which has the series and no incidents. */
export interface Run {
  run: RunHead;
  totals: Figures;
  endpoints: Line[];
  groups: Line[];
  errors: Failure[];
  thresholds: Threshold[];
  validity: Validity;
  incidents?: Incidents;
}

export interface Summary extends Run {
  series: Point[];
}

export interface Master {
  name: string;
  role: "leader" | "follower";
  term: number;
  leader: string | null;
}

export type FeedEvent =
  | { kind: "heartbeat"; index: number; master: Master }
  | {
      kind: "state";
      index: number;
      master: Master;
      run: Run | null;
      series: { is_whole: boolean; points: Point[]; sums: { points: number; requests: number } };
    };

export interface Member {
  name: string;
  host: string;
  port: number;
  web_port: number;
  priority: number;
  role: "leader" | "follower" | "candidate" | "waiting";
  match_index: number | null;
  lag: number | null;
  is_reachable: boolean | null;
}

export interface Worker {
  name: string;
  state: string;
  users: number;
  cpu_percent: number | null;
  memory_bytes: number | null;
  memory_limit_bytes: number | null;
  tags: string[];
  version: string;
  losses: number;
}

export interface Cluster {
  name: string;
  term: number;
  leader: { name: string } | null;
  members: Member[];
  workers: Worker[];
  expected_workers: number;
  applied: number;
  committed: number;
  warnings: string[];
}

export interface RunListed {
  id: string;
  scenario: string;
  profile: string | null;
  status: RunStatus;
  started_unix_ms: number;
  ended_unix_ms: number | null;
  requests: number;
  failures: number;
  thresholds_missed: number;
  validity: string;
}

export interface Scenario {
  name: string;
  host: string | null;
  classes: string[];
  says_load: boolean;
  problem: string | null;
}
