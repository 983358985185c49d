import { FlareError, studyNameSchema } from "@flare-ts/contracts";
import type { Identity } from "../session/identity.js";
import type { Studies } from "./studies.js";

/** Who asks. */
export type StudyCaller = Pick<Identity, "name" | "org" | "role">;

/**
 * Makes sure that an admin may work in a study. One that is not there and one that the admin may not know of are refused in the same words.
 *
 * @throws FlareError `study/invalid-name`, `study/unknown`, `study/not-a-member`
 */
export function requireMember(studies: Studies, study: string, caller: StudyCaller): void {
  if (studies.hasUser(study, caller.name)) return;
  checkStudyName(study);
  if (maySee(studies, study, caller)) {
    throw new FlareError("study/not-a-member", `${caller.name} is not a user of study '${study}'.`, { facts: { study, who: caller.name } });
  }
  throw new FlareError("study/unknown", `There is no study '${study}' in which ${caller.name} may work.`, {
    facts: { study, who: caller.name },
  });
}

/** Whether a study is there and may be seen: any by a project_admin, by an org_admin one with a site of the own organisation, by others their own. */
export function maySee(studies: Studies, study: string, { name, org, role }: StudyCaller): boolean {
  const known = studies.get(study);
  if (known === undefined) return false;
  if (role === "project_admin") return true;
  return role === "org_admin" ? (known.siteOrgs.get(org)?.length ?? 0) > 0 : known.users.includes(name);
}

/** @throws FlareError `study/invalid-name` */
export function checkStudyName(study: string): void {
  const problem = studyNameSchema.safeParse(study).error?.issues[0]?.message;
  if (problem === undefined) return;
  const shown = JSON.stringify(study.slice(0, 64));
  throw new FlareError("study/invalid-name", `${shown} cannot be the name of a study: it ${problem}.`, { facts: { study: shown } });
}
