import type { ParticipantDocument, ProjectDocument } from "@flare-ts/contracts";
import type { Findings } from "./findings.js";

/** Longest common name of a certificate: RFC 5280, upper bound ub-common-name. */
const maxCommonNameChars = 64;

/** Keys that the state file uses for itself, and the one name that JavaScript's objects keep for themselves. */
const reservedNames: readonly string[] = ["root_cert", "root_pri_key", "__proto__"];

/** Finds names that clash, that no certificate can hold, and participants that are missing or too many. */
export function checkNames(project: ProjectDocument, findings: Findings): void {
  const seen = new Map<string, string>();
  project.participants.forEach((participant, index) => {
    if (participant.type === "overseer") return;
    checkName(participant, ["participants", index, "name"], seen, findings);
  });
  checkCounts(project.participants, findings);
}

function checkName({ name }: ParticipantDocument, path: readonly PropertyKey[], seen: Map<string, string>, findings: Findings): void {
  if (name.length > maxCommonNameChars) {
    findings.mistake(
      path,
      `'${name}' has ${name.length} characters, and a certificate's name holds ${maxCommonNameChars}; a server with a longer host name takes a short name and the host name as default_host`,
    );
  }
  if (reservedNames.includes(name)) findings.mistake(path, `'${name}' cannot be the name of a participant`);
  // Kits are folders; on macOS and Windows two names that differ in case alone are one folder.
  const other = seen.get(name.toLowerCase());
  if (other === name) findings.mistake(path, `two participants are called '${name}'`);
  else if (other !== undefined) findings.mistake(path, `'${name}' and '${other}' differ in capital letters only`);
  seen.set(name.toLowerCase(), name);
}

function checkCounts(participants: readonly ParticipantDocument[], findings: Findings): void {
  let first: string | undefined;
  participants.forEach(({ type, name }, index) => {
    if (type !== "server") return;
    if (first !== undefined)
      findings.mistake(["participants", index], `'${name}' is a second server; '${first}' is the first, and a project has exactly one`);
    first ??= name;
  });
  if (first === undefined) findings.mistake(["participants"], "no participant is a server; a project has exactly one");
  if (!participants.some(({ type }) => type === "admin"))
    findings.mistake(["participants"], "no participant is an admin; a project needs one to submit jobs");
}
