import type { ClientParticipant, Project, ServerParticipant } from "../../project/project.js";
import { type KitFile, plainFile } from "../kit-file.js";
import { composeService } from "./compose-service.js";
import { containerName } from "./container-name.js";
import { dockerfile } from "./dockerfile.js";

type Compose = NonNullable<Project["outputs"]["compose"]>;

/** FLARE's name for the folder of the image that all participants of a compose file share. */
const sharedBuild = "nvflare_compose";

/** What one participant's machine needs to run its kit under compose: `deploy/compose.yaml`, `.env` and the Dockerfile. */
export function kitContainerFiles(
  { name: project }: Project,
  participant: ServerParticipant | ClientParticipant,
  compose: Compose,
): KitFile[] {
  const service = composeService(participant, { kit: "..", build: ".", data: "${DATA_DIR:-./data}", serversNetwork: "host" });
  const name = containerName("flare", project, participant.name);
  return [
    plainFile("deploy/compose.yaml", composeText(`Runs the ${participant.type} ${participant.name}`, name, [service])),
    plainFile("deploy/.env", environmentText(name, compose)),
    ...imageFiles("deploy", compose),
  ];
}

/** What runs the server and every site of a project on one machine, beside the kits: FLARE's `compose.yaml`. */
export function projectContainerFiles({ name: project, server, participants }: Project, compose: Compose): KitFile[] {
  const sites = participants.filter((participant) => participant.type === "client");
  const services = [server, ...sites].map((participant) =>
    composeService(participant, {
      kit: `./${participant.name}`,
      build: `./${sharedBuild}`,
      data: `\${DATA_DIR:-./data}/${participant.name}`,
      serversNetwork: `service:${server.name}`,
    }),
  );
  const name = containerName("flare", project);
  return [
    plainFile("compose.yaml", composeText(`Runs the server and the sites of ${project}, all on this machine`, name, services)),
    plainFile(".env", environmentText(name, compose)),
    ...imageFiles(sharedBuild, compose),
  ];
}

/** Without a name, compose takes that of the folder, which all kits share: what it starts for one would replace what runs for another. */
function composeText(what: string, name: string, services: readonly string[]): string {
  const head = `# ${what}: docker compose up --build -d\n# What differs from machine to machine stands in .env.\nname: ${JSON.stringify(name)}\n`;
  return `${head}services:\n${services.join("\n")}`;
}

function imageFiles(dir: string, { requirements }: Compose): KitFile[] {
  return [
    plainFile(`${dir}/Dockerfile`, dockerfile(requirements !== undefined)),
    // Nothing else of the folder reaches the build, whatever lies in it. The Dockerfile does, since COPY fails where no file is.
    plainFile(`${dir}/.dockerignore`, "*\n!Dockerfile\n!*.tgz\n!requirements.txt\n"),
    ...(requirements === undefined ? [] : [plainFile(`${dir}/requirements.txt`, requirements)]),
  ];
}

function environmentText(name: string, { baseImage }: Compose): string {
  return `IMAGE_NAME=${name}
# What the image is built on: the image that your training scripts need, of the Debian or Red Hat family.
# Scripts in Python need one with NumPy in it, or numpy in requirements.txt.
BASE_IMAGE=${baseImage ?? "python:3.12-slim"}
# The npm package of the flare command; name the version that the server runs, as in @flare-ts/cli@1.2.3.
# ./*.tgz installs the packages that lie as files beside the Dockerfile.
FLARE_PACKAGE=@flare-ts/cli
# The account that owns the kit: id -u, id -g.
FLARE_UID=1000
FLARE_GID=1000
# Memory that the processes of a training script share.
SHM_SIZE=2gb
# A folder of data, which the container sees as /data and cannot change.
#DATA_DIR=/srv/data
# The HTTP proxy that leads out, to build the image and for a site to reach its server; what is dialled without it. One of this machine's own
# address 127.0.0.1 is out of reach while the image is built.
#HTTPS_PROXY=http://proxy.example.org:3128
#NO_PROXY=localhost,.example.org
# With connection_security clear: lets clear text leave the container, for a network that encrypts or a proxy that does.
#FLARE_ALLOW_CLEAR=1
`;
}
