import type { JobEvent } from "./job-event.js";

/** How far sites are with the sum of a round whose updates nobody reads. */
export interface SecureSum {
  /** What they do now; `null` while updates come in, and when the round has closed. */
  readonly step: SecureStep | null;
  /** Of a round that has closed: whether its sum is in a model. */
  readonly outcome: "added" | "lost" | null;
}

/** Something that is asked of sites so that their updates can be added. */
export interface SecureStep {
  readonly task: string;
  readonly step: string;
  /** 0, 1, 2 … : each time that the same updates are masked anew. */
  readonly attempt: number;
  readonly sites: readonly string[];
  /** Sites that have answered or failed. */
  readonly done: readonly string[];
}

/** Before any of it. */
export const noStep: SecureSum = { step: null, outcome: null };

/** Takes in what an event says of it. */
export function sumAfter(sum: SecureSum, event: JobEvent): SecureSum {
  if (event.type === "step-opened") {
    const { task, step, attempt, sites } = event;
    return { ...sum, step: { task, step, attempt, sites, done: [] } };
  }
  if (event.type === "round-closed") return { step: null, outcome: event.contributors.length > 0 ? "added" : "lost" };
  const { step } = sum;
  if ((event.type !== "step-answered" && event.type !== "task-failed") || step === null || event.task !== step.task) return sum;
  return { ...sum, step: { ...step, done: [...step.done, event.site] } };
}

/** The same in words. */
export function sumText({ step, outcome }: SecureSum): string {
  if (outcome === "added") return "added without being read";
  if (outcome === "lost") return "lost: a site of the sum did not take its masks back in time; the model stays as it was";
  if (step === null) return "masked; added when all are there";
  const awaited = step.sites.filter((site) => !step.done.includes(site));
  const attempt = step.attempt === 0 ? "" : ` (attempt ${step.attempt + 1})`;
  const who = awaited.length === 0 ? "" : `, waiting for ${awaited.join(", ")}`;
  return `${stepWords[step.step] ?? step.step}${attempt}: ${step.done.length} of ${step.sites.length}${who}`;
}

const stepWords: Readonly<Record<string, string>> = {
  mask: "sites mask their updates anew",
  confirm: "sites confirm whose updates are added",
  reveal: "sites take their masks back",
};
