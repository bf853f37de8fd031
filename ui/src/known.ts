// What a page knows of the run, from the events of the feed, whichever master they come from.

import type { FeedEvent, Master, Point, Run } from "./types";

export interface Known {
  /** The entry of the log that is taken in; null before the first event, and when all has to be asked for anew. */
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
  const { index, master, run, series: news } = event;
  const series = news.is_whole ? news.points : merged(known.series, news.points);
  return { index: isSumOf(series, news.sums) ? index : null, master, run, series };
}

/** Whether nothing is left of what another master told and was taken back since. */
function isSumOf(series: Point[], sums: { points: number; requests: number }): boolean {
  return series.length === sums.points && series.reduce((sum, point) => sum + point.requests, 0) === sums.requests;
}

function merged(points: Point[], news: Point[]): Point[] {
  if (news.length === 0) {
    return points;
  }
  const all = new Map([...points, ...news].map((point) => [`${point.second} ${point.unix_ms}`, point]));
  return [...all.values()].sort((one, other) => one.second - other.second || one.unix_ms - other.unix_ms);
}
