import type { ComponentChildren } from "preact";

/** Something that went wrong, or that is worth knowing; read out when it appears. */
export function Notice({ kind, children }: { kind: "problem" | "hint"; children: ComponentChildren }) {
  return (
    <p class={`notice ${kind}`} role={kind === "problem" ? "alert" : "status"}>
      {children}
    </p>
  );
}
