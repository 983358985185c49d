import type { ClientParticipant, Participant, Project, RelayParticipant, ServerParticipant } from "../project/project.js";
import { installedKit, serviceName, serviceUnitPath } from "./deploy/service-unit.js";
import { targetText } from "./target-text.js";

/** The kit's `readme.txt`: whose it is, how it is used, what must be kept secret. */
export function readme(project: Project, participant: Participant): string {
  const lines = [
    `Startup kit of ${participant.type} ${participant.name} (${participant.org}) in the project ${project.name}.`,
    ...(project.description === "" ? [] : [project.description]),
    "",
    ...usage(project, participant),
    "",
    "startup   identity and connection. Every file is signed: the software starts only when none was changed.",
    ...(participant.type === "admin"
      ? []
      : ["local     settings that this site decides. To change one, copy <name>.json.default to <name>.json and edit the copy."]),
    ...(participant.type !== "admin" ? ["deploy    ways to run it for good; edit them as you need."] : []),
    "transfer  files on their way in and out.",
    "",
    ...secrets(participant),
  ];
  return `${lines.join("\n")}\n`;
}

function usage(project: Project, participant: Participant): string[] {
  if (participant.type === "admin") return adminUsage(project);
  const { type } = participant;
  return [
    `startup/start.sh     start the ${type} in the background (flare ${type} start <this folder> --daemon)`,
    "startup/stop_fl.sh   stop it; at a terminal it asks first, -y keeps it from that",
    "startup/sub_start.sh run it in the foreground, and again when it dies",
    ...(project.outputs.dockerImage === undefined || type === "relay"
      ? []
      : [`startup/docker.sh    run it in a container of ${project.outputs.dockerImage}; -d in the background`]),
    "",
    ...placeOf(participant),
    "",
    ...serviceUsage(participant),
    ...(project.outputs.compose === undefined || participant.type === "relay" ? [] : composeUsage(participant)),
  ];
}

function adminUsage({ outputs }: Project): string[] {
  return [
    "startup/fl_admin.sh <command>   the flare command as this admin, for example: startup/fl_admin.sh job list",
    "startup/fl_admin.sh             a console in which one command follows the other, also under FLARE's names",
    "startup/fl_admin.sh --study <name> <command>   the same in a study",
    ...(outputs.dockerImage === undefined ? [] : [`startup/docker.sh <command>     the same in a container of ${outputs.dockerImage}`]),
    "",
    "flare --help lists the commands. FLARE_STARTUP_KIT_DIR=<this folder> names the kit for all that follow.",
  ];
}

function relayPlace({ connectTo, listeningHost, name }: RelayParticipant): string[] {
  return [
    `It connects to ${connectTo.name} at ${targetText(connectTo.host, connectTo.port)}, for itself and for those below it.`,
    listeningHost.port === 0
      ? "Its listening_host has no port: give local/comm_config.json one, and let the kits of those below it say the same."
      : `Those below it reach it at port ${listeningHost.port} of ${listeningHost.hosts.join(", ")}.`,
    ...(listeningHost.connectionSecurity === "mtls" ? [] : [securityOfRelay(name, listeningHost.connectionSecurity)]),
  ];
}

function securityOfRelay(name: string, security: "tls" | "clear"): string {
  if (security === "tls") return `${name} asks for no certificate when a connection is made; the server proves who calls.`;
  return "It listens in clear text: on the loopback interface only, or everywhere with --allow-clear. The server proves who calls.";
}

function placeOf(participant: ServerParticipant | ClientParticipant | RelayParticipant): string[] {
  if (participant.type === "relay") return relayPlace(participant);
  return participant.type === "server" ? serverPlace(participant) : sitePlace(participant);
}

function serverPlace({ port, hosts, connectionSecurity, listeningHost }: ServerParticipant): string[] {
  return [
    `Sites and admins reach it at port ${port} of ${hosts.join(", ")}.`,
    ...(connectionSecurity === "mtls" ? [] : [securityOfServer[connectionSecurity]]),
    ...(listeningHost === undefined ? [] : [noThirdParties]),
  ];
}

const securityOfServer = {
  tls: "It asks for no certificate when a connection is made, so that a proxy may stand in front; who calls is proven in each call.",
  clear: "It listens in clear text: on the loopback interface only, or everywhere with --allow-clear, behind a proxy that ends TLS.",
};

const noThirdParties = "local/comm_config.json holds its listening_host; this version does not let other programs connect there yet.";

function sitePlace({ connectTo, listeningHost, relay }: ClientParticipant): string[] {
  return [
    ...(relay === undefined
      ? [`It connects to ${connectTo.host}, port ${connectTo.port}; no port needs to be opened here.`]
      : [
          `It connects to relay ${relay} at ${targetText(connectTo.host, connectTo.port)}; no port needs to be opened here.`,
          "Without local/relay__resources.json it connects to the server itself.",
        ]),
    ...(listeningHost === undefined ? [] : [noThirdParties]),
    'Data sets are named in local/resources.json: "datasets": { "<name>": "<path on this machine>" }.',
  ];
}

function serviceUsage({ name }: ServerParticipant | ClientParticipant | RelayParticipant): string[] {
  const kit = installedKit(name);
  return [
    "To have systemd run it, as root:",
    "  id flare || useradd --system --create-home --home-dir /srv/flare --shell /sbin/nologin flare",
    `  cp -a <this folder> ${kit} && chown -R flare: ${kit}`,
    `  cp ${kit}/${serviceUnitPath(name)} /etc/systemd/system/`,
    `  systemctl daemon-reload && systemctl enable --now ${serviceName(name)}`,
    `For another folder or account, edit the copy in /etc/systemd/system. journalctl -u ${serviceName(name)} shows the log.`,
  ];
}

function composeUsage({ type }: ServerParticipant | ClientParticipant): string[] {
  return [
    "",
    "To run it in a container: look through deploy/.env, then",
    "  cd deploy && docker compose up --build -d",
    ...(type === "client" ? ["The folder DATA_DIR is /data in the container; that is the path to write into local/resources.json."] : []),
  ];
}

function secrets(participant: Participant): string[] {
  const keys = participant.type === "relay" ? ["client.key", "server.key"] : [participant.type === "server" ? "server.key" : "client.key"];
  const paths = keys.map((key) => `startup/${key}`);
  const are = paths.length === 1 ? "is the private key. Whoever holds it" : "are private keys. Whoever holds one";
  return [`${paths.join(" and ")} ${are} can act as ${participant.name}: do not copy or send it.`];
}
