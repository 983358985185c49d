import { FlareError } from "@flare-ts/contracts";
import { claimInstance } from "@flare-ts/runtime";

/**
 * Claims a data folder for this dashboard; the returned function gives it back. Two that work on one folder would take each other's
 * uploads away, hand one kit out twice, and change the CA's files at the same time. What a dashboard that was killed left is taken over.
 *
 * @throws FlareError `dashboard/already-running`; the other one is undisturbed
 */
export function claimDataFolder(folder: string, nowMs: number): () => void {
  try {
    const lock = claimInstance(folder, nowMs);
    return () => lock.release();
  } catch (reason) {
    if (!(reason instanceof FlareError) || reason.code !== "runtime/already-running") throw reason;
    const { pid } = reason.facts;
    const by = typeof pid === "number" ? `process ${pid}` : "another process";
    throw new FlareError("dashboard/already-running", `The dashboard of ${by} works on ${folder}.`, { facts: { folder }, cause: reason });
  }
}
