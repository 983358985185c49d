import type { Project } from "../../project/project.js";
import { type KitFile, scriptFile } from "../kit-file.js";
import { shellWord } from "./script-parts.js";

/** `start_all.sh`, beside the kits: starts the server, then every site, all on one machine. */
export function startAllScript({ server, participants }: Project): KitFile {
  const sites = participants.filter(({ type }) => type === "client");
  const relays = participants.filter(({ type }) => type === "relay");
  const lines = [
    ...[server, ...sites].map(({ name }) => `start ${shellWord(name)}`),
    ...relays.map(({ name }) => `leave_out ${shellWord(name)}`),
  ];
  return scriptFile(
    "start_all.sh",
    `#!/bin/sh
# start_all.sh: starts the server and every site on this machine, each in the background.
set -u
kits=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 1
failed=0

start() {
  "$kits/$1/startup/start.sh" || failed=1
}

leave_out() {
  echo "relay $1 is left out: this version has no relay process" >&2
}

${lines.join("\n")}
exit "$failed"
`,
  );
}
