import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { NONE, time } from "../format";
import type { Incidents, Point, RunHead } from "../types";

export interface Curve {
  label: string;
  /** The name of a CSS variable. */
  color: string;
  of: (point: Point) => number | null;
  show: (value: number) => string;
}

interface Props {
  title: string;
  run: RunHead;
  points: Point[];
  curves: Curve[];
  incidents: Incidents;
  theme: string;
}

const HEIGHT = 260;

/** Seconds between two marks of the time axis: labels have no fractions. */
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400];

/** What happened to the cluster, at an instant. */
interface Mark {
  atS: number;
  color: string;
}

/** Curves over the time of a run. All charts of a page have one cursor. */
export function Chart({ title, run, points, curves, incidents, theme }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const marks = useRef<Mark[]>([]);
  marks.current = marksOf(run, incidents);

  useEffect(() => {
    // Made anew for another theme: a canvas does not follow the colours of the page.
    const element = box.current;
    if (element === null) {
      return;
    }
    const made = new uPlot(
      optionsOf(element, curves, () => marks.current),
      dataOf(points, curves),
      element,
    );
    plot.current = made;
    const fit = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    fit.observe(element);
    return () => {
      fit.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [theme, curves, run.id]);

  useEffect(() => plot.current?.setData(dataOf(points, curves)), [points, curves]);

  return (
    <figure class="chart" data-points={points.length}>
      <figcaption>{title}</figcaption>
      <div ref={box} class="plot" role="img" aria-label={`${title}: ${points.length} points`} />
    </figure>
  );
}

function marksOf(run: RunHead, incidents: Incidents): Mark[] {
  const at = (second: number) => run.started_unix_ms / 1_000 + second;
  return [
    ...incidents.leader_changes_s.map((second) => ({ atS: at(second), color: "--mark-election" })),
    ...incidents.lost_workers.map((lost) => ({ atS: at(lost.at_s), color: "--mark-loss" })),
  ];
}

/** Columns for the chart; a second that is missing breaks the curves. */
function dataOf(points: Point[], curves: Curve[]): uPlot.AlignedData {
  const times: number[] = [];
  const values: (number | null)[][] = curves.map(() => []);
  const put = (at: number, of: (curve: Curve) => number | null) => {
    times.push(at);
    curves.forEach((curve, place) => {
      values[place]?.push(of(curve));
    });
  };
  let endMs: number | null = null;
  for (const point of points) {
    if (endMs !== null && point.unix_ms > endMs + 500) {
      put((endMs + 1) / 1_000, () => null);
    }
    put(point.unix_ms / 1_000, (curve) => curve.of(point));
    endMs = point.unix_ms + point.width_s * 1_000;
  }
  return [times, ...values];
}

function optionsOf(element: HTMLElement, curves: Curve[], marks: () => Mark[]): uPlot.Options {
  const color = (name: string) => getComputedStyle(element).getPropertyValue(name).trim();
  const axis = {
    stroke: color("--muted"),
    grid: { stroke: color("--grid"), width: 1 },
    ticks: { stroke: color("--grid"), width: 1 },
    font: "12px system-ui, sans-serif",
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    cursor: { sync: { key: "run" }, drag: { x: true, y: false } },
    scales: { x: { time: true }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      { ...axis, values: (_, splits) => splits.map((at) => time(at * 1_000)), space: 80, incrs: STEPS_S },
      { ...axis, size: 64, values: (_, splits) => splits.map((value) => value.toLocaleString("en-US")) },
    ],
    series: [
      { label: "Time", value: (made, at) => shownOr(at ?? made.data[0].at(-1), (known) => time(known * 1_000)) },
      ...curves.map((curve) => ({
        label: curve.label,
        stroke: color(curve.color),
        width: 2,
        points: { show: false },
        // Without a cursor the newest figure is shown.
        value: (made: uPlot, value: number | null, place: number, at: number | null) =>
          shownOr(at === null ? made.data[place]?.at(-1) : value, curve.show),
      })),
    ],
    hooks: {
      draw: [
        (made) => {
          const { ctx, bbox } = made;
          ctx.save();
          ctx.setLineDash([6, 4]);
          ctx.lineWidth = 2;
          for (const mark of marks()) {
            const x = made.valToPos(mark.atS, "x", true);
            if (x >= bbox.left && x <= bbox.left + bbox.width) {
              ctx.strokeStyle = color(mark.color);
              ctx.beginPath();
              ctx.moveTo(x, bbox.top);
              ctx.lineTo(x, bbox.top + bbox.height);
              ctx.stroke();
            }
          }
          ctx.restore();
        },
      ],
    },
  };
}

function shownOr(value: number | null | undefined, show: (value: number) => string): string {
  return value === null || value === undefined ? NONE : show(value);
}
