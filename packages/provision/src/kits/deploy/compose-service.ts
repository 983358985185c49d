import { isIP } from "node:net";
import type { ClientParticipant, ServerParticipant } from "../../project/project.js";

/** Where a service's files lie, as the compose file that names it sees them. */
export interface ComposePlaces {
  /** The kit. */
  readonly kit: string;
  /** The folder of the Dockerfile. */
  readonly build: string;
  /** The folder of a site's data; the compose file's variables may stand in it. */
  readonly data: string;
  /** Network mode in which a site that dials `localhost` meets the server there. */
  readonly serversNetwork: string;
}

/** One participant's service in a compose file, indented for its place there. */
export function composeService(participant: ServerParticipant | ClientParticipant, places: ComposePlaces): string {
  const { type, name } = participant;
  const lines = [
    `${JSON.stringify(name)}:`,
    '  image: "${IMAGE_NAME}"',
    "  build:",
    `    context: ${JSON.stringify(places.build)}`,
    "    args:",
    '      BASE_IMAGE: "${BASE_IMAGE}"',
    '      FLARE_PACKAGE: "${FLARE_PACKAGE}"',
    ...proxyLines("      "),
    `  command: ["${type}", "start", "/workspace"]`,
    '  user: "${FLARE_UID}:${FLARE_GID}"',
    "  working_dir: /workspace",
    "  init: true",
    "  restart: unless-stopped",
    "  stop_grace_period: 90s",
    '  security_opt: ["no-new-privileges:true"]',
    '  cap_drop: ["ALL"]',
    '  shm_size: "${SHM_SIZE}"',
    ...environmentLines(participant),
    "  volumes:",
    `    - ${JSON.stringify(`${places.kit}:/workspace:Z`)}`,
    ...(participant.type === "server" ? serverLines(participant) : siteLines(participant, places)),
  ];
  return lines.map((line) => `  ${line}\n`).join("");
}

/** What the image is built through, and how a site gets to its server, where the way out is an HTTP proxy. */
function proxyLines(indent: string): string[] {
  return ["HTTPS_PROXY", "NO_PROXY"].map((name) => `${indent}${name}: "\${${name}:-}"`);
}

function environmentLines(participant: ServerParticipant | ClientParticipant): string[] {
  return [
    "  environment:",
    // As `restart` has it: whatever the container ends with.
    '    FLARE_WATCHED: "always"',
    ...(participant.type === "client" ? proxyLines("    ") : []),
    ...(isInClear(participant) ? ['    FLARE_ALLOW_CLEAR: "${FLARE_ALLOW_CLEAR:-}"'] : []),
  ];
}

/** Within one compose file the sites find the server by the names that their kits dial. */
function serverLines({ hosts, port }: ServerParticipant): string[] {
  const aliases = hosts.filter((host) => isIP(host) === 0 && host !== "localhost");
  return [
    `  ports: ["${port}:${port}"]`,
    ...(aliases.length === 0 ? [] : ["  networks:", "    default:", `      aliases: ${JSON.stringify(aliases)}`]),
  ];
}

function siteLines({ connectTo, gpus, relay }: ClientParticipant, { data, serversNetwork }: ComposePlaces): string[] {
  // Relays run in no container: what is on this machine's loopback interface is the machine's.
  const network = relay === undefined ? serversNetwork : "host";
  return [
    `    - ${JSON.stringify(`${data}:/data:ro`)}`,
    ...(isLoopback(connectTo.host) ? [`  network_mode: ${JSON.stringify(network)}`] : []),
    ...(gpus === 0
      ? []
      : [
          "  deploy:",
          "    resources:",
          "      reservations:",
          `        devices: [{ driver: nvidia, count: ${gpus}, capabilities: [gpu] }]`,
        ]),
  ];
}

/** A container's loopback interface is no other container's: whoever wants clear text there says so in `.env`. */
function isInClear(participant: ServerParticipant | ClientParticipant): boolean {
  const { connectionSecurity } = participant.type === "server" ? participant : participant.connectTo;
  return connectionSecurity === "clear";
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
