import { X509Certificate } from "node:crypto";
import { isAdmin, type Problem } from "@flare-ts/contracts";
import { Revocations } from "../kit/revocations.js";
import type { Project } from "../project/project.js";
import type { ProjectState } from "../state/project-state.js";
import { readSubject } from "./read-certificate.js";

interface WarningsInit {
  readonly project: Project;
  /** What earlier runs made; `undefined` on the first. */
  readonly previous: ProjectState | undefined;
  readonly now: Date;
}

/**
 * What the holder of the CA may take for done and is not: who was revoked and comes back, who is out of the project file and not out of
 * the project, and what a change of the project file does not bring to certificates that are there.
 *
 * @param newcomers names of those that get a new key
 */
export function identityWarnings({ project, previous, now }: WarningsInit, newcomers: ReadonlySet<string>): Problem[] {
  if (previous === undefined) return [];
  return [...comebackWarnings(previous, newcomers), ...leftOutWarnings(project, previous, now), ...changeWarnings(project, previous)];
}

function comebackWarnings({ revoked }: ProjectState, newcomers: ReadonlySet<string>): Problem[] {
  const byName = new Map(revoked.map((entry) => [entry.name, entry]));
  return [...newcomers].flatMap((name) => {
    const entry = byName.get(name);
    if (entry === undefined) return [];
    const when = new Date(entry.revoked_at_ms).toISOString();
    return [{ message: `'${name}' was revoked at ${when} (${entry.reason}) and is in the project file; its new kit lets it in again` }];
  });
}

/** To take somebody out of the project file takes nothing from them. */
function leftOutWarnings({ participants, certificates }: Project, { participants: known, revoked }: ProjectState, now: Date): Problem[] {
  const named = new Set(participants.map(({ name }) => name));
  const revocations = new Revocations(revoked);
  const left = [...known].filter(([name, { certificatePem }]) => {
    if (named.has(name)) return false;
    const certificate = new X509Certificate(certificatePem);
    if (revocations.find(certificate) !== undefined) return false;
    // One that has ended may have been renewed by the server, which the workspace does not see.
    const { role } = readSubject(certificate);
    const kind = isAdmin(name, role) ? "admin" : role;
    const mayHaveNext = certificates.renewalIssuer === "server" && certificates.serverMayRenew.some((type) => type === kind);
    return certificate.validToDate > now || mayHaveNext;
  });
  if (left.length === 0) return [];
  const names = left.map(([name]) => `'${name}'`).join(", ");
  const message = `not in the project file, so without a kit of this run, but let in with an earlier one: ${names}; 'flare cert revoke' takes back the certificate of whoever left`;
  return [{ message }];
}

/** At the run in which the project file changes: later ones have nothing new to say. */
function changeWarnings({ certificates }: Project, { settings }: ProjectState): Problem[] {
  if (settings === undefined) return [];
  const { keyType, leafLifetimeMs } = certificates;
  const [asked, before] = [leafLifetimeMs, settings.leafLifetimeMs].map(durationText);
  return [
    ...(keyType === settings.keyType
      ? []
      : [
          {
            message: `key_type is ${keyType}, and was ${settings.keyType}: it counts for newcomers; who has a key keeps its kind, renewals included, until 'flare cert revoke' and another run bring a new one, and the root until 'flare cert rollover'`,
          },
        ]),
    ...(leafLifetimeMs >= settings.leafLifetimeMs
      ? []
      : [
          {
            message: `leaf_lifetime is ${asked}, and was ${before}: certificates that are there stay, in these kits too, until they are renewed`,
          },
        ]),
  ];
}

/** A duration in the largest unit that it is whole in, as a project file may say it. */
function durationText(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  const [unit, length] = units.find(([, each]) => seconds % each === 0) ?? ["s", 1];
  return `${seconds / length}${unit}`;
}

const units = [
  ["d", 86_400],
  ["h", 3600],
  ["m", 60],
] as const;
