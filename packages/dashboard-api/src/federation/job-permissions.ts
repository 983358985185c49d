import { defaultAuthorizationPolicy, FlareError, isAllowed, type Right } from "@flare-ts/contracts";
import type { Job, jobActions } from "../contract/jobs.js";
import type { Actor } from "../http/actor.js";

/** A job as far as rights depend on it. */
export type OwnedJob = Pick<Job, "submitter" | "organization" | "endedAtMs">;

type Person = Pick<Actor, "email" | "organization" | "role">;

/**
 * Whether a person may do something with a job, by FLARE's default policy. The dashboard speaks to the server as a project admin, so
 * it decides itself what a person may.
 */
export function isPermitted(person: Person, right: Right, job?: OwnedJob): boolean {
  const { email, organization, role } = person;
  return isAllowed(defaultAuthorizationPolicy, {
    right,
    user: { name: email, org: organization, role },
    site: { org: "" },
    ...(job === undefined ? {} : { submitter: { name: job.submitter, org: job.organization } }),
  });
}

/** @throws FlareError `dashboard/not-allowed` */
export function requireRight(person: Person, right: Right, job?: OwnedJob): void {
  if (isPermitted(person, right, job)) return;
  const whose = job === undefined ? "" : ` with a job of ${job.submitter}`;
  throw new FlareError("dashboard/not-allowed", `The role ${person.role} has no right '${right}'${whose}.`);
}

/** Whether a person may submit jobs; they bring code of their own. */
export function maySubmit(person: Person): boolean {
  return isPermitted(person, "submit_job") && isPermitted(person, "byoc");
}

/** What a person may do with a job in its present state. */
export function actionsOn(person: Person, job: OwnedJob): (typeof jobActions)[number][] {
  const isOver = job.endedAtMs !== null;
  const all = {
    abort: !isOver && isPermitted(person, "abort_job", job),
    clone: isPermitted(person, "clone_job", job) && maySubmit(person),
    delete: isOver && isPermitted(person, "delete_job", job),
    download: isOver && isPermitted(person, "download_job", job),
  };
  return (Object.keys(all) as (keyof typeof all)[]).filter((action) => all[action]);
}
