import type { ChaosReport, FaultOutcome } from "@flare-ts/chaos";
import type { Json } from "@flare-ts/contracts";
import { durationText } from "../../terminal/quantities.js";
import { tableLines } from "../../terminal/table.js";

/** A line about a fault that is over. */
export function faultLine({ fault, atMs, outcome, detail }: FaultOutcome, round: number, faults: number): string {
  const words = outcome === "injected" ? detail : `${outcome}: ${detail}`;
  return `${String(fault.number).padStart(String(faults).length)}/${faults}  ${(atMs / 1000).toFixed(1).padStart(7)} s  round ${round}  ${fault.kind}  ${words}`;
}

/** The report for people: how often each kind happened, and what was found. */
export function reportLines(report: ChaosReport): readonly string[] {
  const kinds = Map.groupBy(report.faults, ({ fault }) => fault.kind);
  const count = (outcomes: readonly FaultOutcome[], wanted: FaultOutcome["outcome"]): string =>
    String(outcomes.filter(({ outcome }) => outcome === wanted).length);
  return [
    ...tableLines(
      [
        { title: "FAULT" },
        { title: "HAPPENED", align: "right" },
        { title: "NO VICTIM", align: "right" },
        { title: "FAILED", align: "right" },
      ],
      [...kinds]
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([kind, outcomes]) => [
          kind,
          count(outcomes, "injected"),
          count(outcomes, "no-victim"),
          String(outcomes.filter(({ outcome }) => outcome === "failed" || outcome === "not-reached").length),
        ]),
    ),
    ...tableLines(
      [{ title: "CHECK" }, { title: "" }, { title: "FOUND" }],
      report.checks.map(({ name, isGood, detail }) => [name, isGood ? "yes" : "NO", detail]),
    ),
    `Seed ${report.seed}: ${report.rounds} rounds took ${durationText(report.undisturbedSeconds * 1000)} in peace and ${durationText(report.disturbedSeconds * 1000)} with faults.`,
  ];
}

/** The report for scripts. */
export const reportData = {
  fault: ({ fault, atMs, outcome, detail }: FaultOutcome): { readonly [key: string]: Json } => ({
    number: fault.number,
    kind: fault.kind,
    at_ms: atMs,
    outcome,
    detail,
  }),
  whole: (report: ChaosReport): { readonly [key: string]: Json } => ({
    seed: report.seed,
    rounds: report.rounds,
    ok: report.isGood,
    checks: report.checks.map(({ name, isGood, detail }) => ({ name, ok: isGood, detail })),
    faults: report.faults.map((outcome) => reportData.fault(outcome)),
    undisturbed_s: report.undisturbedSeconds,
    disturbed_s: report.disturbedSeconds,
    ...(report.folder === undefined ? {} : { folder: report.folder }),
  }),
};
