import type { JobEvent } from "@flare-ts/runtime/admin";

/** A site's task, or what came of it, by the round whose model the site was given. */
export interface TaskOfSite {
  readonly site: string;
  readonly round: number;
  readonly sinceMs: number;
}

/** What is under way where sites do not wait for each other. */
export interface BufferedReport {
  /** Updates that make a model. */
  readonly updates: number;
  /** What sites are at work on. */
  readonly atWork: readonly TaskOfSite[];
  /** Updates that are in no model yet; how long each took. */
  readonly buffer: readonly (TaskOfSite & { readonly seconds: number })[];
}

/** What is under way after an event; `undefined` where sites wait for each other. */
export function addToBuffered(known: BufferedReport | undefined, event: JobEvent, atMs: number): BufferedReport | undefined {
  if (event.type === "round-opened") {
    const { buffered } = event;
    if (buffered === undefined) return undefined;
    const before = known ?? { atWork: [], buffer: [] };
    const isNewEnough = ({ round }: TaskOfSite): boolean => round >= buffered.oldestBase;
    const { atWork, buffer } = { atWork: before.atWork.filter(isNewEnough), buffer: before.buffer.filter(isNewEnough) };
    return { updates: buffered.updates, buffer, atWork: given(atWork, event, atMs) };
  }
  if (known === undefined) return undefined;
  switch (event.type) {
    case "task-assigned":
      return { ...known, atWork: given(known.atWork, event, atMs) };
    case "update-accepted": {
      const task = known.atWork.find((one) => isOf(one, event));
      if (task === undefined) return known;
      const done = { ...task, seconds: Math.max(0, atMs - task.sinceMs) / 1000 };
      return { ...known, atWork: known.atWork.filter((one) => one !== task), buffer: [...known.buffer, done] };
    }
    case "task-failed":
      return {
        ...known,
        atWork: known.atWork.filter((one) => !isOf(one, event)),
        buffer: known.buffer.filter((one) => !isOf(one, event)),
      };
    case "site-left":
      return { ...known, atWork: known.atWork.filter(({ site }) => site !== event.site) };
    case "round-closed":
      return { ...known, buffer: known.buffer.filter((one) => event.updates?.some((update) => isOf(one, update)) !== true) };
    case "workflow-ended":
      return { ...known, atWork: [], buffer: [] };
    case "best-model":
    case "deadline-passed":
    case "job-ended":
    case "job-started":
    case "job-submitted":
    case "process-restarted":
    case "round-receipt":
    case "step-answered":
    case "step-opened":
    case "site-connected":
    case "site-disconnected":
    default:
      return known;
  }
}

function given(
  atWork: readonly TaskOfSite[],
  { round, sites }: { readonly round: number; readonly sites: readonly string[] },
  atMs: number,
): readonly TaskOfSite[] {
  const others = atWork.filter(({ site }) => !sites.includes(site));
  return [...others, ...sites.map((site) => ({ site, round, sinceMs: atMs }))].toSorted((a, b) => (a.site < b.site ? -1 : 1));
}

function isOf(one: Pick<TaskOfSite, "site" | "round">, { site, round }: Pick<TaskOfSite, "site" | "round">): boolean {
  return one.site === site && one.round === round;
}
