import type { JournalEntry } from "@flare-ts/runtime/admin";
import { check, missingNumbers, type RunCheck } from "./check-run.js";
import type { RemadeModels } from "./remake-models.js";
import type { RunResult } from "./run-job.js";

/**
 * What must be so after an asynchronous job: in which order updates come differs from run to run, so it is its own journal that it must agree
 * with. Each model is to be of the updates that came first of those that are in none, as many as the job says, and of no others.
 */
export function bufferedWork(run: Pick<RunResult, "journal" | "results" | "delivered">, remade: RemadeModels): readonly RunCheck[] {
  return [madeAsJournalled(run, remade), eachUpdateAtItsTurn(run.journal), nothingLost(run)];
}

function madeAsJournalled({ results }: Pick<RunResult, "results">, { problems, models, updates, last }: RemadeModels): RunCheck {
  const result = Object.keys(results).find((name) => name.endsWith(resultFile));
  const found = result === undefined ? "missing" : (results[result] ?? "missing");
  const other = found === last ? [] : [`the result ${resultFile} is ${found}, not ${last}`];
  const nothing = models === 0 ? ["there were no models"] : [];
  return check(
    "the models have the bytes that follow from the journal",
    [...problems, ...other, ...nothing],
    `${models} models of ${updates} updates, made anew; the last is ${last.slice(0, 12)}`,
  );
}

const resultFile = "FL_global_model.safetensors";

/** Counts as FedBuff should: a queue. */
function eachUpdateAtItsTurn(journal: readonly JournalEntry[]): RunCheck {
  const problems = [...missingNumbers(journal)];
  const accepted = new Set<string>();
  const waiting: string[] = [];
  let perModel = 0;
  let counted = 0;
  for (const { event } of journal) {
    if (event.type === "round-opened") perModel = event.buffered?.updates ?? Number.NaN;
    if (event.type === "update-accepted") {
      if (accepted.has(nameOf(event))) problems.push(`${nameOf(event)} was accepted twice`);
      accepted.add(nameOf(event));
      waiting.push(nameOf(event));
    }
    if (event.type !== "round-closed") continue;
    const mine = (event.updates ?? []).map(nameOf).sort();
    const its = waiting.splice(0, perModel).sort();
    counted += mine.length;
    if (mine.length !== perModel || mine.join() !== its.join())
      problems.push(
        `the model made in round ${event.round} is of ${mine.join(" and ")}, not of the ${perModel} first: ${its.join(" and ")}`,
      );
  }
  if (counted === 0) problems.push("there were no updates");
  const rest = waiting.length === 0 ? "" : `; ${waiting.length} more came when the last model was being made`;
  return check("each update was counted once, in the order in which they came", problems, `${counted} updates${rest}`);
}

/** What sites were told of what they handed in, against the journal. */
function nothingLost({ journal, delivered }: Pick<RunResult, "journal" | "delivered">): RunCheck {
  const accepted = new Set<string>();
  /** Rounds whose models each site was given. */
  const given = new Map<string, number[]>();
  for (const { event } of journal) {
    if (event.type === "update-accepted") accepted.add(nameOf(event));
    if (event.type !== "round-opened" && event.type !== "task-assigned") continue;
    for (const site of event.sites) given.set(site, [...(given.get(site) ?? []), event.round]);
  }
  const lost = delivered.flatMap((answer) => {
    if (answer.outcome !== "late")
      return accepted.has(nameOf(answer)) ? [] : [`${nameOf(answer)} was acknowledged and is not in the journal`];
    // No task is over before the job is, and a site is given another one when it has handed in.
    return accepted.has(nameOf(answer)) || given.get(answer.site)?.at(-1) === answer.round ? [] : [`${nameOf(answer)} came too late`];
  });
  const open = [...given].flatMap(([site, rounds]) =>
    rounds.slice(0, -1).flatMap((round) => (accepted.has(nameOf({ site, round })) ? [] : [`${nameOf({ site, round })} never came`])),
  );
  const acknowledged = delivered.filter(({ outcome }) => outcome !== "late").length;
  const none = acknowledged === 0 ? ["no site says that it handed in anything"] : [];
  return check("no update that was acknowledged is lost", [...lost, ...open, ...none], `sites know of ${acknowledged} that were`);
}

function nameOf({ site, round }: { readonly site: string; readonly round: number }): string {
  return `${site} in round ${round}`;
}
