import { type AdminOptions, withAdmin } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { confirmed } from "../../command-line/confirmed.js";
import { tableLines } from "../../terminal/table.js";
import { studyData, studyLines } from "./study-text.js";

/** Lists the studies that the admin may see. */
export async function listStudies(context: CommandContext, options: AdminOptions): Promise<CommandOutput> {
  const { identity, studies, study_details } = await withAdmin(context, options, (session) => session.studies.list(context.signal));
  return {
    data: {
      identity: { ...identity },
      studies: [...studies],
      study_details: study_details.map(({ name, role, can_submit_job }) => ({
        name,
        role,
        capabilities: { submit_job: can_submit_job },
        can_submit_job,
      })),
    },
    text:
      studies.length === 0
        ? ["No studies but that of everybody."]
        : tableLines(
            [{ title: "STUDY" }, { title: "MAY SUBMIT JOBS" }],
            study_details.map(({ name, can_submit_job }) => [name, can_submit_job ? "yes" : "no"]),
          ),
  };
}

/** Shows the sites and users of a study. */
export async function showStudy(context: CommandContext, options: AdminOptions & { readonly name: string }): Promise<CommandOutput> {
  const study = await withAdmin(context, options, (session) => session.studies.show(options.name, context.signal));
  return { data: studyData(study), text: studyLines(study) };
}

/** Removes a study that has no jobs, after a person said so. @throws FlareError `cli/not-confirmed` */
export async function removeStudy(
  context: CommandContext,
  options: AdminOptions & { readonly name: string; readonly isForced: boolean },
): Promise<CommandOutput> {
  const { name, isForced } = options;
  if (!isForced) {
    await confirmed(context, { question: `Remove study ${name}?`, deed: "Removing a study", refusal: "The study was not removed." });
  }
  await withAdmin(context, options, (session) => session.studies.remove(name, context.signal));
  return { data: { name, removed: true }, text: [`Removed study ${name}.`] };
}
