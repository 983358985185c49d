import { FlareError } from "@flare-ts/contracts";
import type { AuditActor } from "../audit/audit-log.js";
import type { PersonState } from "../contract/person.js";
import type { Role } from "../contract/roles.js";

/** Who calls a route: a signed-in person, checked against the route's access. */
export interface Actor extends AuditActor {
  readonly personId: string;
  readonly name: string;
  readonly organization: string;
  readonly role: Role;
  readonly state: PersonState;
  readonly sessionId: string;
  /** Own organisation only where the route's scope is `own-org` and the person is not project admin. */
  readonly reach: "all" | "own-org";
}

/** Whether an actor's reach covers what belongs to an organisation; lists are filtered by this. */
export function reaches(actor: Actor, organization: string): boolean {
  return actor.reach === "all" || actor.organization === organization;
}

/**
 * Passes when an actor's reach covers what belongs to an organisation. What lies outside looks as if it did not exist.
 *
 * @throws FlareError `dashboard/not-found`
 */
export function requireReach(actor: Actor, organization: string): void {
  if (!reaches(actor, organization)) throw notFound();
}

/** The error for what does not exist, or not for this person. */
export function notFound(message = "There is no such thing, or it is not yours to see."): FlareError {
  return new FlareError("dashboard/not-found", message);
}
