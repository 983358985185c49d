import { commonOf, identityOf, type ParticipantSource, type Written } from "./participant-source.js";
import type { RelayParticipant } from "./project.js";
import { type RelayTarget, readConnectTo, type Targets } from "./read-connect-to.js";
import { readListeningHost } from "./read-listening-host.js";

/** What others need to know of a relay to be behind it. */
export function readRelayTarget({ written, path, findings }: ParticipantSource<Written<"relay">>): RelayTarget {
  return {
    name: written.name,
    listeningHost: readListeningHost(written.listening_host, "localhost", [...path, "listening_host"], findings),
    ...identityOf(written),
  };
}

/**
 * Fills in FLARE's defaults of a relay.
 *
 * @param fqcn the relays from the one next to the server down to this one.
 */
export function readRelay(
  source: ParticipantSource<Written<"relay">>,
  targets: Targets,
  target: RelayTarget,
  fqcn: readonly string[],
): RelayParticipant {
  const common = commonOf(source);
  return Object.freeze({
    ...common,
    type: "relay",
    ...readConnectTo({ ...source, targets, connectionSecurity: common.connectionSecurity }),
    listeningHost: target.listeningHost,
    fqcn: fqcn.join("."),
    ...identityOf(source.written),
  });
}
