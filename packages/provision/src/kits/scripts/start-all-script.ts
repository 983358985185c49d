import type { Project, RelayParticipant } from "../../project/project.js";
import { type KitFile, scriptFile } from "../kit-file.js";
import { shellWord } from "./script-parts.js";

/** `start_all.sh`, beside the kits: starts the server, then the relays from the top down, then every site, all on one machine. */
export function startAllScript({ server, participants }: Project): KitFile {
  const sites = participants.filter(({ type }) => type === "client");
  const depthOf = ({ fqcn }: RelayParticipant): number => fqcn.split(".").length;
  const relays = participants.filter((each) => each.type === "relay").sort((a, b) => depthOf(a) - depthOf(b));
  const lines = [server, ...relays, ...sites].map(({ name }) => `start ${shellWord(name)}`);
  return scriptFile(
    "start_all.sh",
    `#!/bin/sh
# start_all.sh: starts the server, every relay and every site on this machine, each in the background.
set -u
kits=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 1
failed=0

start() {
  "$kits/$1/startup/start.sh" || failed=1
}

${lines.join("\n")}
exit "$failed"
`,
  );
}
