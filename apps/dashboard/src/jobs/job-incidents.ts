import type { JobEvent } from "./job-event.js";
import { type RoundView, roundName, roundTitle } from "./round-view.js";

/** Something that an operator may want to know of, in words. */
export interface Incident {
  readonly atMs: number;
  readonly kind: "info" | "warn" | "bad" | "good";
  readonly text: string;
}

/** What the rounds and workflows of a job are called. */
export interface JobNames {
  /** A round's own number and its workflow, by its number in the journal. */
  readonly roundOf: (round: number) => Pick<RoundView, "number" | "workflow">;
  /** Id of the workflow that an event belongs to; empty where the job has no other. */
  readonly workflow: string;
}

/** What an event of the journal means to an operator; nothing where it is none of their business, or shown elsewhere. */
export function incidentOf(event: JobEvent, names: JobNames): Omit<Incident, "atMs"> | undefined {
  switch (event.type) {
    case "job-submitted":
      return { kind: "info", text: "Submitted" };
    case "job-started":
      return { kind: "info", text: `Started on ${event.sites.length} ${event.sites.length === 1 ? "site" : "sites"}` };
    case "task-failed":
      return { kind: "bad", text: `${event.site} failed in ${roundName(names.roundOf(event.round))}: ${event.error.message}` };
    case "site-connected":
      return { kind: "good", text: `${event.site} is connected` };
    case "site-disconnected":
      return { kind: "warn", text: `${event.site} is disconnected: ${event.reason}` };
    case "site-left":
      return { kind: "bad", text: `${event.site} left the job: ${event.error.message}` };
    case "deadline-passed":
      return { kind: "warn", text: `${roundTitle(names.roundOf(event.round))} passed its deadline${lateText(event.late ?? [])}` };
    case "round-closed":
      return event.missing.length === 0
        ? undefined
        : { kind: "warn", text: `${roundTitle(names.roundOf(event.round))} closed without ${event.missing.join(", ")}` };
    case "best-model":
      return {
        kind: "good",
        text: `Best model so far in ${roundName(names.roundOf(event.round))}: ${event.metric} ${event.value.toPrecision(4)}`,
      };
    case "process-restarted":
      return { kind: "warn", text: `The process at ${event.where} was restarted: ${event.reason}` };
    case "workflow-ended":
      return { kind: "info", text: `The workflow ${names.workflow === "" ? "" : `${names.workflow} `}ended: ${event.reason}` };
    case "job-ended":
      return { kind: event.status === "FINISHED:COMPLETED" ? "good" : "bad", text: `The job ended: ${event.reason || event.status}` };
    case "round-opened":
    case "task-assigned":
    case "step-opened":
    case "step-answered":
    case "update-accepted":
      return undefined;
    default:
      // A kind of a newer server, or one that is shown elsewhere, such as receipts.
      event satisfies never;
      return undefined;
  }
}

function lateText(late: readonly { readonly site: string; readonly why: string }[]): string {
  return late.length === 0 ? "" : `; late: ${late.map(({ site, why }) => `${site} (${why})`).join(", ")}`;
}
