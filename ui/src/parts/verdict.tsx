import { observed } from "../format";
import type { Threshold, Validity } from "../types";

const WORDS = { passed: "passed", failed: "failed", aborted: "aborted the run", no_data: "no data" };

/** A word in the colour of what it means. */
export function Badge({ word, tone }: { word: string; tone: "good" | "warning" | "bad" | "calm" }) {
  return <span class={`badge ${tone}`}>{word}</span>;
}

export function ValidityBadge({ verdict }: { verdict: string }) {
  const tone = verdict === "VALID" ? "good" : verdict === "DEGRADED" ? "warning" : "bad";
  return <Badge word={verdict} tone={tone} />;
}

/** Whether the generator spoiled the run, and why. */
export function ValidityView({ validity }: { validity: Validity }) {
  return (
    <div>
      <ValidityBadge verdict={validity.verdict} />
      {validity.reasons.length > 0 && (
        <ul class="reasons">
          {validity.reasons.map(({ verdict, reason }) => (
            <li key={reason}>
              {reason} <span class="muted">({verdict})</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** What became of the thresholds. */
export function Thresholds({ thresholds }: { thresholds: Threshold[] }) {
  return (
    <ul class="thresholds">
      {thresholds.map(({ text, verdict, observed: value, unit, reason }) => (
        <li key={text}>
          <Badge word={WORDS[verdict]} tone={verdict === "passed" ? "good" : "bad"} /> <code>{text}</code>{" "}
          <span class="muted">{reason ?? `was ${observed(value, unit)}`}</span>
        </li>
      ))}
    </ul>
  );
}
