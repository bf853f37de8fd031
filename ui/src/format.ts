// Figures as people read them.

const WHOLE = new Intl.NumberFormat("en-US");
const TENTHS = new Intl.NumberFormat("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const HUNDREDTHS = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export const NONE = "–";

export function count(value: number): string {
  return WHOLE.format(value);
}

export function rate(value: number): string {
  return TENTHS.format(value);
}

/** Milliseconds of microseconds: whole ones, but for fast answers. */
export function ms(us: number | null): string {
  if (us === null) {
    return NONE;
  }
  return us < 10_000 ? HUNDREDTHS.format(us / 1_000) : WHOLE.format(Math.round(us / 1_000));
}

export function percent(ratio: number): string {
  const value = ratio * 100;
  return `${value > 0 && value < 0.1 ? HUNDREDTHS.format(value) : TENTHS.format(value)} %`;
}

export function bytes(value: number | null): string {
  if (value === null) {
    return NONE;
  }
  return value < 1e9 ? `${WHOLE.format(Math.round(value / 1e6))} MB` : `${TENTHS.format(value / 1e9)} GB`;
}

export function dateTime(unixMs: number): string {
  const at = new Date(unixMs);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time(unixMs)}`;
}

export function time(unixMs: number): string {
  return new Date(unixMs).toTimeString().slice(0, 8);
}

export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return [h > 0 && `${h} h`, (h > 0 || m > 0) && `${m} min`, h === 0 && `${s} s`].filter(Boolean).join(" ");
}

/** A figure of a threshold in its unit. */
export function observed(value: number | null, unit: string | null): string {
  if (value === null) {
    return NONE;
  }
  switch (unit) {
    case "us":
      return `${ms(value)} ms`;
    case "ratio":
      return percent(value);
    case "per_s":
      return `${rate(value)}/s`;
    default:
      return count(value);
  }
}
