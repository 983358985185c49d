import type { AdminParticipant, ClientParticipant, ServerParticipant } from "../../project/project.js";
import { containerName } from "../deploy/container-name.js";
import { type KitFile, scriptFile } from "../kit-file.js";
import { scriptHead, shellWord } from "./script-parts.js";

/** `docker.sh`: runs the kit in a container of an image that has the flare command. */
export function dockerScript(participant: ServerParticipant | ClientParticipant | AdminParticipant, image: string): KitFile {
  const text = participant.type === "admin" ? adminText(image) : processText(participant, image);
  return scriptFile("startup/docker.sh", text);
}

/** What Docker takes; FLARE's names of sites may be shorter, or begin with a dash. */
const isContainerName = /^[A-Za-z0-9][A-Za-z0-9_.-]+$/;

/** A container is given the kit by a path that docker splits at colons. */
const head = (purpose: string, image: string): string => `${scriptHead(purpose)}image=\${DOCKER_IMAGE:-${shellWord(image)}}
case $kit in
  *:*)
    printf 'docker cannot be given the path %s: it holds a colon\\n' "$kit" >&2
    exit 1
    ;;
esac
`;

function processText({ type, name }: ServerParticipant | ClientParticipant, image: string): string {
  return `${head(`docker.sh: runs the ${type} in a container; -d in the background, where docker starts it again when it dies.`, image)}
# The image, in place of the kit's:      DOCKER_IMAGE=...
# A folder for the container's /data:    MY_DATA_DIR=...
# GPUs, as docker's option has them:     GPU2USE=--gpus=all
# The network, in place of the host's:   NETARG=--network=...
# Further arguments are the flare command's.
mode=-i
restart=no
if [ "\${1:-}" = -d ]; then
  shift
  mode=-d
  restart=unless-stopped
fi
set -- --entrypoint flare "$image" ${type} start /workspace "$@"
[ -z "\${MY_DATA_DIR:-}" ] || set -- -v "$MY_DATA_DIR:/data:ro" "$@"
[ -z "\${GPU2USE:-}" ] || set -- "$GPU2USE" "$@"
[ "$mode" = -d ] || set -- --rm "$@"
exec docker run "$mode" --init --restart "$restart" --name ${shellWord(isContainerName.test(name) ? name : containerName("flare", name))} \\
  --user "$(id -u):$(id -g)" --security-opt no-new-privileges --cap-drop ALL --ipc=host "\${NETARG:---network=host}" \\
  -v "$kit:/workspace:Z" -w /workspace "$@"
`;
}

function adminText(image: string): string {
  return `${head("docker.sh: the flare command as this admin, in a container, for example: docker.sh job list", image)}
# The image, in place of the kit's:      DOCKER_IMAGE=...
# A folder for the container's /jobs:    JOBS_DIR=...
# The network, in place of the host's:   NETARG=--network=...
[ $# -gt 0 ] || set -- --help
terminal=
[ ! -t 0 ] || terminal=t
set -- --entrypoint flare "$image" "$@"
[ -z "\${JOBS_DIR:-}" ] || set -- -v "$JOBS_DIR:/jobs:ro" "$@"
exec docker run --rm "-i$terminal" --user "$(id -u):$(id -g)" --security-opt no-new-privileges --cap-drop ALL \\
  "\${NETARG:---network=host}" --env FLARE_STARTUP_KIT_DIR=/workspace -v "$kit:/workspace:Z" -w /workspace "$@"
`;
}
