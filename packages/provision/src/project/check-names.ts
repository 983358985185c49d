import type { ProjectDocument } from "@flare-ts/contracts";
import type { Findings } from "./findings.js";

/** Keys that the state file uses for itself, and the one name that JavaScript's objects keep for themselves. */
const stateNames: readonly string[] = ["root_cert", "root_pri_key", "__proto__"];
/** Files that stand beside the kits. */
const prodNames: readonly string[] = ["start_all.sh", "compose.yaml", "nvflare_compose"];

/** Finds names that clash, and participants that are missing or too many. */
export function checkNames(project: ProjectDocument, findings: Findings): void {
  const seen = new Map<string, string>();
  project.participants.forEach((participant, index) => {
    if (participant.type === "overseer" || participant.type === "other") return;
    checkName(participant.name, ["participants", index, "name"], seen, findings);
  });
  checkServers(project, findings);
  if (project.participants.some(({ type }) => type === "admin")) return;
  findings.warning(["participants"], "no participant is an admin: nobody will be able to submit jobs");
}

function checkName(name: string, path: readonly PropertyKey[], seen: Map<string, string>, findings: Findings): void {
  if (stateNames.includes(name) || prodNames.includes(name)) findings.mistake(path, `'${name}' cannot be the name of a participant`);
  // Kits are folders; on macOS and Windows two names that differ in case alone are one folder.
  const other = seen.get(name.toLowerCase());
  if (other === name) findings.mistake(path, `two participants are called '${name}'`);
  else if (other !== undefined) findings.mistake(path, `'${name}' and '${other}' differ in capital letters only`);
  seen.set(name.toLowerCase(), name);
}

function checkServers({ participants }: ProjectDocument, findings: Findings): void {
  let first: string | undefined;
  participants.forEach((participant, index) => {
    if (participant.type !== "server") return;
    if (first !== undefined) {
      const message = `'${participant.name}' is a second server; '${first}' is the first, and a project has exactly one`;
      findings.mistake(["participants", index], message);
    }
    first ??= participant.name;
  });
  if (first === undefined) findings.mistake(["participants"], "no participant is a server; a project has exactly one");
}
