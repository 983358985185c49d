import { FlareError } from "@flare-ts/contracts";
import type { StudyCaller } from "./study-rights.js";

/** Commands about studies. As in FLARE the role decides who may give them, not the policy. */
export const studyVerbs = [
  "register_study",
  "add_study_site",
  "remove_study_site",
  "add_study_user",
  "remove_study_user",
  "remove_study",
  "list_studies",
  "show_study",
] as const;
export type StudyVerb = (typeof studyVerbs)[number];

export function isStudyVerb(verb: string): verb is StudyVerb {
  return (studyVerbs as readonly string[]).includes(verb);
}

/** @throws FlareError `auth/not-authorized` */
export function requireStudyRole(verb: StudyVerb, { name, org, role }: StudyCaller): void {
  if (verb === "list_studies" || role === "project_admin") return;
  if (verb !== "remove_study" && role === "org_admin") return;
  const whose = verb === "remove_study" ? "a project_admin" : "a project_admin or an org_admin";
  throw new FlareError("auth/not-authorized", `${name} (${role} of ${org}) may not ${verb}: no policy gives that, it is for ${whose}.`, {
    facts: { who: name, role, right: verb },
  });
}
