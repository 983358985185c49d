import { type KitFile, scriptFile } from "../kit-file.js";
import { scriptHead } from "./script-parts.js";

/** What a relay's kit says of itself, wherever somebody looks first. */
export const noRelayProcess = "This version has no relay process: the kit holds a relay's identity and settings, and nothing runs it yet.";

/** `start.sh` of a relay: says that nothing can be started. */
export function relayScript(): KitFile {
  return scriptFile(
    "startup/start.sh",
    `${scriptHead("start.sh: says why this relay cannot be started.")}
printf '%s: %s\\n' "$kit" "${noRelayProcess}" >&2
exit 1
`,
  );
}
