import { adminRoles, nearestWord, processRoles } from "@flare-ts/contracts";
import { commonOf, type ParticipantSource, type Written } from "./participant-source.js";
import type { AdminParticipant } from "./project.js";
import { readConnectTo, type Targets } from "./read-connect-to.js";

/** Fills in FLARE's defaults of an admin, who always connects to the server itself. */
export function readAdmin(source: ParticipantSource<Written<"admin">>, targets: Targets): AdminParticipant {
  const { written, path, findings } = source;
  checkRole(source);
  checkLength(source);
  const common = commonOf(source);
  const init = { ...source, targets, connectionSecurity: common.connectionSecurity };
  const { connectTo, relay } = readConnectTo(init);
  if (relay !== undefined) {
    findings.warning([...path, "connect_to", "name"], `relay '${relay}' has no effect for an admin: admins connect to the server itself`);
  }
  return Object.freeze({
    ...common,
    type: "admin",
    role: written.role,
    connectTo: relay === undefined ? connectTo : readConnectTo({ ...init, written: { ...written, connect_to: undefined } }).connectTo,
  });
}

/** A kit is a folder of its participant's name, and its archive a file with `.zip` behind that; both end at 255 bytes. */
const maxNameChars = 251;

function checkLength({ written: { name }, path, findings }: ParticipantSource<Written<"admin">>): void {
  if (name.length <= maxNameChars) return;
  findings.mistake(
    [...path, "name"],
    `the name has ${name.length} characters, and may have ${maxNameChars}: it is that of the kit's folder`,
  );
}

function checkRole({ written: { name, role }, path, findings }: ParticipantSource<Written<"admin">>): void {
  const roles: readonly string[] = adminRoles;
  // With such a role an admin would pass for a process.
  if (processRoles.some((known) => known === role)) {
    findings.mistake(
      [...path, "role"],
      `'${role}' is the role of a process, and cannot be that of an admin; FLARE's roles are ${roles.join(", ")}`,
    );
    return;
  }
  if (roles.includes(role)) return;
  const near = nearestWord(role, roles);
  findings.warning(
    [...path, "role"],
    `role '${role}' of '${name}' is not one of ${roles.join(", ")}${near === undefined ? "." : `; did you mean '${near}'?`} A role of your own may do what authorization.json of a site says, and nothing where it says nothing`,
  );
}
