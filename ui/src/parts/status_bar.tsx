import type { ComponentChildren } from "preact";

import type { FeedState } from "../feed";
import { count, percent, rate } from "../format";

interface Props {
  feed: FeedState;
  workers: number | null;
  children: ComponentChildren;
}

/** The run and the cluster at a glance, and what can be done. */
export function StatusBar({ feed, workers, children }: Props) {
  const { run, master, isConnected } = feed;
  const status = run?.run.status ?? "ready";
  const isActive = status === "spawning" || status === "running" || status === "stopping";
  return (
    <header class="bar">
      <a class="brand" href="#statistics">
        <img src="./icon.svg" alt="" width="28" height="28" />
        Akrida
      </a>
      <dl>
        <Item name="Host" value={run?.run.host ?? "–"} isLong />
        <Item name="Status" value={status.toUpperCase()} tone={status} />
        <Item name="Users" value={count(isActive ? (run?.run.users ?? 0) : 0)} />
        <Item name="Workers" value={workers === null ? "–" : count(workers)} />
        <Item name="RPS" value={rate(isActive ? (run?.totals.current_rps ?? 0) : (run?.totals.rps ?? 0))} />
        <Item name="Failures" value={percent(run?.totals.fail_ratio ?? 0)} />
        <Item
          name="Leader"
          value={master?.leader ?? "none"}
          detail={master === null ? "" : `term ${master.term}`}
          tone={master?.leader === null ? "stopping" : ""}
        />
      </dl>
      <div class="actions">{children}</div>
      <p class="connection" role="status" data-connected={isConnected}>
        {isConnected ? "" : "No connection to the masters; trying again…"}
      </p>
    </header>
  );
}

interface ItemProps {
  name: string;
  value: string;
  detail?: string;
  tone?: string;
  isLong?: boolean;
}

function Item({ name, value, detail = "", tone = "", isLong = false }: ItemProps) {
  return (
    <div class={isLong ? "item long" : "item"} data-item={name.toLowerCase()}>
      <dt>{name}</dt>
      <dd class={tone} title={isLong ? value : undefined}>
        {value}
        {detail !== "" && <span class="muted"> {detail}</span>}
      </dd>
    </div>
  );
}
