import type { ParticipantFileDocument } from "@flare-ts/contracts";

/**
 * `site.yaml` of a request: what the project admin approves of a participant file, and nothing that is decided where the
 * kit runs. JSON, which is YAML too.
 */
export function approvedPart({ name, participants: [participant] }: ParticipantFileDocument): string {
  const { type, name: participantName, org } = participant;
  const entry = {
    name: participantName,
    type,
    org,
    ...(participant.type === "admin" ? { role: participant.role } : {}),
    ...(participant.type === "server" ? { host_names: hostNamesOf(participant) } : {}),
  };
  return wholeFile({ name, participants: [entry] });
}

/** `site.yaml` beside the key: all that the participant file says. */
export function wholeFile(document: object): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** Further names and addresses of a server. */
export function hostNamesOf({ host_names }: { readonly host_names?: string | readonly string[] | null | undefined }): readonly string[] {
  return typeof host_names === "string" ? [host_names] : (host_names ?? []);
}
