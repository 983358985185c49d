import type { OperationOutcome, OperationTarget, SystemStatus } from "@flare-ts/runtime/admin";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { confirmed } from "../../command-line/confirmed.js";
import type { Targets } from "./operation-targets.js";
import { outcomeData, requireAll } from "./outcome-text.js";

/** What `flare system shutdown` and `flare system restart` are given. */
export interface EndOptions extends StudyOptions, Targets {
  readonly how: "shutdown" | "restart";
  readonly isForced: boolean;
  readonly isAwaited: boolean;
  /** How long each step may take. */
  readonly timeoutMs: number;
}

const words = {
  shutdown: { verb: "Shut down", deed: "Shutting down", done: "ended", will: "ends" },
  restart: { verb: "Restart", deed: "Restarting", done: "restarted", will: "restarts" },
} as const;

/**
 * Has sites, the server or all of them end, for good or to start anew, after a person said so, and says of each what became of it.
 *
 * @throws FlareError `cli/not-confirmed`, `cli/not-everywhere`, what the only participant refuses
 */
export async function endParticipants(context: CommandContext, options: EndOptions): Promise<CommandOutput> {
  const { how, target, sites, isForced, isAwaited, timeoutMs } = options;
  const { verb, deed, done, will } = words[how];
  const tell = (outcome: OperationOutcome): void => {
    const { name, state } = outcome;
    // What failed stands in the error at the end.
    if (state === "failed" && context.format === "txt") return;
    context.report({ type: "outcome", ...outcomeData(outcome, done) }, `${name}: ${state === "accepted" ? will : done}`);
  };
  let away: readonly string[] = [];
  const outcomes = await withAdminInStudy(context, options, async (session) => {
    const status = await session.status(context.signal);
    if (target !== "server" && sites === undefined)
      away = status.sites.filter(({ state }) => state !== "connected").map(({ name }) => name);
    if (!isForced) {
      const question = `${verb} ${whom(target, sites)}?${jobsText(status, how)}`;
      await confirmed(context, { question, deed: `${deed} ${whom(target, sites)}`, refusal: "Nothing was done." });
    }
    return await session[how](target, { sites, timeoutMs, isAwaited, onOutcome: tell, signal: context.signal });
  });
  requireAll(outcomes, done);
  return {
    data: { target, outcomes: outcomes.map((outcome) => outcomeData(outcome, done)), not_connected: [...away] },
    text: outcomes.length === 0 ? ["No site is connected."] : [],
    hints: away.length === 0 ? [] : [`Not connected, and so not told: ${away.join(", ")}.`],
  };
}

function whom(target: OperationTarget, sites: readonly string[] | undefined): string {
  if (target === "server") return "the server";
  if (target === "all") return "all sites and the server";
  return sites === undefined ? "all sites" : sites.join(", ");
}

function jobsText({ runningJobs }: SystemStatus, how: "shutdown" | "restart"): string {
  if (runningJobs.length === 0) return "";
  const many = runningJobs.length === 1 ? "1 job runs" : `${runningJobs.length} jobs run`;
  return ` ${many}; what they have done is kept, and they go on ${how === "restart" ? "after it" : "when what they need is started again"}.`;
}
