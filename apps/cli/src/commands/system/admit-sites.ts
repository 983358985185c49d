import { FlareError, type Json } from "@flare-ts/contracts";
import type { AdminSession, OperationOutcome, SiteAdmission } from "@flare-ts/runtime/admin";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { confirmed } from "../../command-line/confirmed.js";
import { outcomeData, requireAll } from "./outcome-text.js";

/** What `flare system disable-client` and `enable-client` are given. */
export interface AdmitOptions extends StudyOptions {
  readonly sites: readonly string[];
  readonly isForced: boolean;
  /** Why a site is kept out; of `disable-client`. */
  readonly reason: string;
}

/** Keeps sites out until they are enabled again, after a person said so. @throws FlareError `cli/not-confirmed`, `cli/not-everywhere`, what the server refuses */
export async function disableSites(context: CommandContext, options: AdmitOptions): Promise<CommandOutput> {
  const { sites, reason, isForced } = options;
  const list = sites.join(", ");
  if (!isForced) {
    await confirmed(context, {
      question: `Disable ${list}? What is open is cut, and jobs that run there go on without it.`,
      deed: `Disabling ${list}`,
      refusal: "Nothing was done.",
    });
  }
  const change = (session: AdminSession, site: string): Promise<SiteAdmission> =>
    session.disableClient(site, { reason, signal: context.signal });
  return await changeAll(context, options, "disabled", change, ({ site, wasDisabled, leftJobs }) =>
    wasDisabled
      ? `${site} was disabled before.`
      : `${site} is disabled until it is enabled again.${leftJobs.length === 0 ? "" : ` It has left ${leftJobs.join(", ")}.`}`,
  );
}

/** Lets sites in again, after a person said so. @throws FlareError as `disableSites` */
export async function enableSites(context: CommandContext, options: AdmitOptions): Promise<CommandOutput> {
  const { sites, isForced } = options;
  const list = sites.join(", ");
  if (!isForced) await confirmed(context, { question: `Enable ${list}?`, deed: `Enabling ${list}`, refusal: "Nothing was done." });
  const change = (session: AdminSession, site: string): Promise<SiteAdmission> => session.enableClient(site, { signal: context.signal });
  return await changeAll(context, options, "enabled", change, ({ site, wasDisabled }) =>
    wasDisabled ? `${site} is enabled, and comes back by itself.` : `${site} was not disabled.`,
  );
}

async function changeAll(
  context: CommandContext,
  options: AdmitOptions,
  done: "disabled" | "enabled",
  change: (session: AdminSession, site: string) => Promise<SiteAdmission>,
  textOf: (admission: SiteAdmission) => string,
): Promise<CommandOutput> {
  const outcomes: OperationOutcome<SiteAdmission>[] = await withAdminInStudy(context, options, async (session) => {
    const changed: OperationOutcome<SiteAdmission>[] = [];
    for (const name of new Set(options.sites)) {
      const outcome: OperationOutcome<SiteAdmission> = await change(session, name).then(
        (result) => ({ name, kind: "client", state: "done", result }),
        (reason: unknown) => ({ name, kind: "client", state: "failed", error: FlareError.from(reason) }),
      );
      context.signal.throwIfAborted();
      const { result } = outcome;
      // What failed stands in the error at the end.
      if (result !== undefined || context.format !== "txt")
        context.report({ type: "outcome", ...admissionData(outcome, done) }, result === undefined ? "" : textOf(result));
      changed.push(outcome);
    }
    return changed;
  });
  requireAll(outcomes, done);
  const unseen = outcomes.flatMap(({ name, result }) => (result?.isKnown === false ? [name] : []));
  return {
    data: { sites: outcomes.map((outcome) => admissionData(outcome, done)) },
    text: [],
    hints: unseen.length === 0 ? [] : [`The server has not seen ${unseen.join(", ")} since it started; is that the name?`],
  };
}

function admissionData(outcome: OperationOutcome<SiteAdmission>, done: string): { readonly [key: string]: Json } {
  const { result } = outcome;
  if (result === undefined) return outcomeData(outcome, done);
  const { wasDisabled, isKnown, leftJobs } = result;
  return { ...outcomeData(outcome, done), was_disabled: wasDisabled, is_known: isKnown, left_jobs: [...leftJobs] };
}
