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

/** Where a process finds its HTTP proxy; each is looked for in small letters and in capitals. */
const proxyVariables = ["grpc_proxy", "https_proxy", "all_proxy", "no_grpc_proxy", "no_proxy"].flatMap((name) => [
  name,
  name.toUpperCase(),
]);

/**
 * A container is given the kit by a path that docker splits at colons. Its process is the kit's owner, whoever runs the script, such as
 * root by sudo: without its rights root could not read the key either.
 */
const head = (purpose: string, image: string): string => `${scriptHead(purpose)}image=\${DOCKER_IMAGE:-${shellWord(image)}}
case $kit in
  *:*)
    printf 'docker cannot be given the path %s: it holds a colon\\n' "$kit" >&2
    exit 1
    ;;
esac
owner=$(ls -nd -- "$kit" | awk 'NR == 1 { print $3 ":" $4 }')
`;

/** Gives the container those of some variables that are set; docker is told their names alone, so that no list of processes shows a password. */
const passOn = (names: readonly string[]): string => `for variable in ${names.join(" ")}; do
  eval "[ -z \\"\\\${$variable:-}\\" ]" || set -- --env "$variable" "$@"
done
`;

function processText(participant: ServerParticipant | ClientParticipant, image: string): string {
  const { type, name } = participant;
  const container = isContainerName.test(name) ? name : containerName("flare", name);
  return `${head(`docker.sh: runs the ${type} in a container; -d in the background, where docker starts it again when it dies.`, image)}
# The image, in place of the kit's:      DOCKER_IMAGE=...
# A folder for the container's /data:    MY_DATA_DIR=...
# GPUs, as docker's option has them:     GPU2USE=--gpus=all
# The network, in place of ${networkOf(participant) === hostNetwork ? "the host's:  " : "this port:   "} NETARG=--network=...
# Further arguments are the flare command's.
# In the background: docker logs -f ${container}, docker stop ${container}, docker start ${container}; docker rm ${container} before another -d.
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
${passOn(["FLARE_ALLOW_CLEAR", ...(type === "client" ? proxyVariables : [])])}if [ "$mode" = -d ]; then set -- --env FLARE_WATCHED=always "$@"; else set -- --rm "$@"; fi
exec docker run "$mode" --init --restart "$restart" --stop-timeout 90 --name ${shellWord(container)} \\
  --user "$owner" --security-opt no-new-privileges --cap-drop ALL --ipc=host "\${NETARG:-${networkOf(participant)}}" \\
  -v "$kit:/workspace:Z" -w /workspace "$@"
`;
}

const hostNetwork = "--network=host";

/**
 * On the host's network ports below 1024 are root's, whatever docker grants; on the container's own they are anybody's. A server in clear
 * text is not moved there: nobody outside would reach its loopback interface.
 */
function networkOf(participant: ServerParticipant | ClientParticipant): string {
  if (participant.type !== "server" || participant.port >= 1024 || participant.connectionSecurity === "clear") return hostNetwork;
  return `--publish=${participant.port}:${participant.port}`;
}

function adminText(image: string): string {
  // Several commands may run at once: a label for one container alone (Z) would take the kit from those that run already.
  return `${head("docker.sh: the flare command as this admin, in a container, for example: docker.sh job list", image)}
# The image, in place of the kit's:      DOCKER_IMAGE=...
# A folder for the container's /jobs:    JOBS_DIR=...       docker.sh job submit -j /jobs/my_job
# The network, in place of the host's:   NETARG=--network=...
# What is downloaded stays in the kit:   docker.sh job download <id> -o /workspace/transfer
[ $# -gt 0 ] || set -- --help
terminal=
[ ! -t 0 ] || terminal=t
set -- --entrypoint flare "$image" "$@"
[ -z "\${JOBS_DIR:-}" ] || set -- -v "$JOBS_DIR:/jobs:ro" "$@"
${passOn(["FLARE_STUDY", "FLARE_ALLOW_CLEAR", ...proxyVariables])}exec docker run --rm "-i$terminal" --user "$owner" --security-opt no-new-privileges --cap-drop ALL \\
  "\${NETARG:-${hostNetwork}}" --env FLARE_STARTUP_KIT_DIR=/workspace -v "$kit:/workspace:z" -w /workspace "$@"
`;
}
