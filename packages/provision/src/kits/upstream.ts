import type { FedRelay } from "@flare-ts/contracts";
import type { ClientParticipant, Project, RelayParticipant } from "../project/project.js";
import { authIdentityOf } from "./auth-identities.js";
import { targetText } from "./target-text.js";

/** FLARE's full name of the server. */
const serverFqcn = "server";

/** What a relay, or a site behind one, dials, as FLARE's files say it. */
export function upstreamOf(
  { server, participants }: Project,
  { connectTo, relay }: RelayParticipant | ClientParticipant,
): FedRelay["connect_to"] {
  const parent = participants.find((each) => each.type === "relay" && each.name === relay);
  const upstream = parent?.type === "relay" ? parent : server;
  return {
    scheme: upstream.type === "relay" ? upstream.listeningHost.scheme : "grpc",
    identity: connectTo.name,
    ...authIdentityOf(connectTo),
    address: targetText(connectTo.host, connectTo.port),
    fqcn: upstream.type === "relay" ? upstream.fqcn : serverFqcn,
    connection_security: connectTo.connectionSecurity,
  };
}
