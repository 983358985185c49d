import type { Figure } from "../result/result.ts";
import type { Series } from "./chart.ts";

/** How a figure is called beside a bar: who, how, on how many threads. */
export function figureName({ group, what, engine, mode, threads }: Figure): string {
  if (group !== "engine") return threads === 1 ? what : `${what}, ${threadsText(threads)}`;
  return `${engineText(engine, mode)}, ${threadsText(threads)}`;
}

/** An engine without what is said beside it: `wasm exact`. */
export function engineText(engine: string | undefined, mode: string | undefined): string {
  const name = (engine ?? "").replace(/^cpu-/, "");
  return mode === undefined || name.endsWith(`-${mode}`) ? name.replace(/-(\w+)$/, " $1") : `${name} ${mode}`;
}

/** `1 thread`, `2 threads`. */
export function threadsText(threads: number): string {
  return `${threads} ${threads === 1 ? "thread" : "threads"}`;
}

/** How the page draws a figure. */
export function seriesOf({ group, id, mode }: Pick<Figure, "group" | "id" | "mode">): Series {
  if (group === "machine") return "machine";
  if (group === "baseline") return id.includes("torch") ? "torch" : "numpy";
  return mode === "exact" || mode === "fast" || mode === "float64" ? mode : "other";
}

/** Whether an engine's figure is one to draw: a combination of updates in memory, or a whole session, not a part of one. */
export function isMain({ group, id }: Pick<Figure, "group" | "id">): boolean {
  return group === "engine" && (id.startsWith("kernels/mean/") || id.endsWith("/all"));
}
