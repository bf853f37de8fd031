// What a page knows of the run, from the events of the feed, whichever master they come from.

import type { FeedEvent, Master, Point, Run } from "./types";

export interface Known {
  /** The entry of the log that is taken in; null before the first event. */
  index: number | null;
  master: Master | null;
  run: Run | null;
  series: Point[];
}

export const NOTHING: Known = { index: null, master: null, run: null, series: [] };

/** What is known after an event. Points that come again replace themselves. */
export function taken(known: Known, event: FeedEvent): Known {
  if (event.kind === "heartbeat") {
    return { ...known, master: event.master };
  }
  const { index, master, run, series } = event;
  return { index, master, run, series: series.is_whole ? series.points : merged(known.series, series.points) };
}

function merged(points: Point[], news: Point[]): Point[] {
  if (news.length === 0) {
    return points;
  }
  const all = new Map([...points, ...news].map((point) => [`${point.second} ${point.unix_ms}`, point]));
  return [...all.values()].sort((one, other) => one.second - other.second || one.unix_ms - other.unix_ms);
}
