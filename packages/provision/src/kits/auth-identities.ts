import type { ClientParticipant, Participant, Project, RelayParticipant } from "../project/project.js";

/** `auth_identity` of a participant in FLARE's files: only where it is not the name. */
export function authIdentityOf({ name, authIdentity }: { readonly name: string; readonly authIdentity?: string | undefined }): {
  auth_identity?: string;
} {
  return authIdentity === undefined || authIdentity === name ? {} : { auth_identity: authIdentity };
}

/**
 * `auth_identity_map` in FLARE's files: by which identity those are authenticated whom their full name does not say it
 * of: relays and sites behind relays, and everybody with an identity of another name. A relay knows those below it.
 */
export function authIdentityMap({ participants }: Project, relay?: RelayParticipant): { auth_identity_map?: Record<string, string> } {
  const fqcns = new Map(participants.flatMap((each) => (each.type === "relay" ? [[each.name, each.fqcn] as const] : [])));
  const above = relay === undefined ? "" : `${relay.fqcn}.`;
  const entries = participants.filter(isBelowServer).flatMap((participant): [string, string][] => {
    const fqcn = fullName(participant, fqcns);
    const identity = participant.authIdentity ?? participant.name;
    // What stands first below whoever reads the map is whom a connection comes from.
    const [first] = fqcn.slice(above.length).split(".");
    return fqcn.startsWith(above) && identity !== first ? [[fqcn, identity]] : [];
  });
  return entries.length === 0 ? {} : { auth_identity_map: Object.fromEntries(entries) };
}

function isBelowServer(participant: Participant): participant is RelayParticipant | ClientParticipant {
  return participant.type === "relay" || participant.type === "client";
}

function fullName(participant: RelayParticipant | ClientParticipant, fqcns: ReadonlyMap<string, string>): string {
  if (participant.type === "relay") return participant.fqcn;
  const relay = participant.relay === undefined ? undefined : fqcns.get(participant.relay);
  return relay === undefined ? participant.name : `${relay}.${participant.name}`;
}
