import type { Command } from "commander";
import type { StudyOptions } from "./with-admin.js";

/** Adds the options of a command that an admin gives in a study. */
export function withStudyFlags(command: Command): Command {
  return command
    .option("--startup-kit <dir>", "the admin's startup kit")
    .option("--study <name>", "study to work in; else that of FLARE_STUDY, or of everybody");
}

/** What `withStudyFlags` was given. */
export function studyFlags(flags: Readonly<Record<string, unknown>>): StudyOptions {
  return { startupKit: flags["startupKit"] as string | undefined, study: flags["study"] as string | undefined };
}

/** The option as it stands in the hint of what to do next; nothing where it was not given. */
export function studyHint({ study }: Pick<StudyOptions, "study">): string {
  return study === undefined ? "" : ` --study ${study}`;
}
