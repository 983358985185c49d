import type { ProjectDocument } from "@flare-ts/contracts";
import type { CaCertificates } from "./ca-certificates.js";
import type { Findings } from "./findings.js";
import { hierarchyOf } from "./hierarchy.js";
import { type ParticipantSource, sourcesOf, type Written, type WrittenParticipant } from "./participant-source.js";
import type { Participant, ServerParticipant } from "./project.js";
import { readAdmin } from "./read-admin.js";
import { readClient } from "./read-client.js";
import type { Targets } from "./read-connect-to.js";
import { readRelay, readRelayTarget } from "./read-relay.js";
import { readServer } from "./read-server.js";

/** What the participants are read from. */
export interface ParticipantsInit {
  readonly project: ProjectDocument;
  readonly caCertificates: CaCertificates;
  readonly findings: Findings;
}

/** Everybody who gets a kit, in the order of the project file, with the defaults filled in; nobody without a server. */
export function readParticipants(
  init: ParticipantsInit,
): { readonly server: ServerParticipant; readonly participants: readonly Participant[] } | undefined {
  const [serverSource] = sourcesOf("server", init);
  if (serverSource === undefined) return undefined;
  const server = readServer(serverSource);
  const targets = { server, writtenServerName: serverSource.written.name, relays: new Map() } satisfies Targets;
  const relays = sourcesOf("relay", init);
  for (const relay of relays) targets.relays.set(relay.written.name, readRelayTarget(relay));
  const relayPaths = pathsOf(relays, targets, ({ connect_to }) => (typeof connect_to === "object" ? connect_to?.name : undefined));
  const clients = sourcesOf("client", init);
  const sitePaths = pathsOf(clients, targets, ({ parent }) => parent);
  const parents = new Set([...sitePaths.values()].map((path) => path.at(-2)));
  const participants = new Map<unknown, Participant>([
    [serverSource.written, server],
    ...relays.map((source): [unknown, Participant] => [
      source.written,
      readRelay(source, targets, targets.relays.get(source.written.name), relayPaths.get(source.written.name) ?? []),
    ]),
    ...clients.map((source): [unknown, Participant] => {
      const { name } = source.written;
      return [source.written, readClient(source, targets, { path: sitePaths.get(name) ?? [name], isLeaf: !parents.has(name) })];
    }),
    ...sourcesOf("admin", init).map((source): [unknown, Participant] => [source.written, readAdmin(source, targets)]),
  ]);
  const inOrder = init.project.participants.flatMap((written) => participants.get(written) ?? []);
  return { server, participants: Object.freeze(inOrder) };
}

/** The way from the top down to each member of a tree; a parent that is none and a circle are mistakes. */
function pathsOf<P extends WrittenParticipant & Written<"client" | "relay">>(
  sources: readonly ParticipantSource<P>[],
  targets: Targets,
  parentOf: (written: P) => string | null | undefined,
): ReadonlyMap<string, readonly string[]> {
  const names = new Set(sources.map(({ written }) => written.name));
  const parents = new Map<string, string | undefined>();
  for (const { written, path, findings } of sources) {
    const parent = parentOf(written) ?? undefined;
    const isServer = parent === targets.server.name || parent === targets.writtenServerName;
    const isMember = parent !== undefined && names.has(parent);
    parents.set(written.name, isMember ? parent : undefined);
    // That a relay's connect_to names nobody is found where it is read.
    if (written.type === "client" && parent !== undefined && parent !== "" && !isServer && !isMember) {
      findings.mistake([...path, "parent"], `'${parent}', the parent of '${written.name}', is no client of this project`);
    }
  }
  const hierarchy = hierarchyOf(parents);
  if (hierarchy.isTree) return hierarchy.paths;
  const first = sources.find(({ written }) => hierarchy.circle.includes(written.name));
  const key = first?.written.type === "client" ? ["parent"] : ["connect_to", "name"];
  first?.findings.mistake([...first.path, ...key], `${hierarchy.circle.join(" is behind ")}: that is a circle`);
  return new Map();
}
