import type { Participant, Project } from "../project/project.js";

/** The kit's `readme.txt`: whose it is, how it is used, what must be kept secret. */
export function readme(project: Project, participant: Participant): string {
  const key = participant.type === "server" ? "server.key" : "client.key";
  const lines = [
    `Startup kit of ${participant.type} ${participant.name} (${participant.org}) in the project ${project.name}.`,
    ...(project.description === "" ? [] : [project.description]),
    "",
    ...usage(participant),
    "",
    "startup   identity and connection. Every file is signed: the software starts only when none was changed.",
    ...(participant.type === "admin"
      ? []
      : ["local     settings that this site decides. To change one, copy <name>.json.default to <name>.json and edit the copy."]),
    "transfer  files on their way in and out.",
    "",
    `startup/${key} is the private key. Whoever holds it can act as ${participant.name}: do not copy or send it.`,
  ];
  return `${lines.join("\n")}\n`;
}

function usage(participant: Participant): string[] {
  const { type } = participant;
  if (type === "admin") return ["Give this folder to the flare command to submit jobs and to watch them; flare --help shows how."];
  return [
    `startup/start.sh     start the ${type} in the background (flare ${type} start <this folder> --daemon)`,
    "startup/stop_fl.sh   stop it",
    "",
    ...(participant.type === "server"
      ? [`Sites and admins reach it at port ${participant.port} of ${participant.hosts.join(", ")}.`]
      : [
          `It connects to ${participant.connectTo.host}, port ${participant.connectTo.port}; no port needs to be opened here.`,
          'Data sets are named in local/resources.json: "datasets": { "<name>": "<path on this machine>" }.',
        ]),
  ];
}
