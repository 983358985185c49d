import type { ProcessType } from "../../project/project.js";
import { type KitFile, scriptFile } from "../kit-file.js";
import { execFlare, scriptHead } from "./script-parts.js";
import { watchScript } from "./watch-script.js";

/** Scripts that start, watch and stop the process of a kit; POSIX shell, for any path. */
export function processScripts(type: ProcessType): KitFile[] {
  return [
    scriptFile("startup/start.sh", startScript(type)),
    scriptFile("startup/sub_start.sh", watchScript(type)),
    scriptFile("startup/stop_fl.sh", stopScript(type)),
  ];
}

function startScript(type: string): string {
  return `${scriptHead("start.sh: starts the process in the background.")}
${execFlare}
flare ${type} start "$kit" --daemon "$@"
`;
}

/** Asks as FLARE's does, but only whom it can ask: a script that has no terminal is taken at its word. */
function stopScript(type: string): string {
  return `${scriptHead("stop_fl.sh: stops the process that start.sh started. At a terminal it asks first; -y and --yes keep it from that.")}
${execFlare}
ask=1
for argument in "$@"; do
  shift
  case $argument in
    -y | --yes) ask= ;;
    *) set -- "$@" "$argument" ;;
  esac
done
if [ -n "$ask" ] && [ -t 0 ]; then
  printf 'This stops the ${type} of %s. What it is at goes on at the next start.\\nStop it (y/N)? ' "$kit"
  read -r answer || answer=
  case $answer in
    [yY] | [yY][eE][sS]) ;;
    *)
      echo 'It was left as it is.'
      exit 1
      ;;
  esac
fi
flare ${type} stop "$kit" "$@"
`;
}
