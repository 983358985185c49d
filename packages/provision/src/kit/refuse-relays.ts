import { FlareError } from "@flare-ts/contracts";
import type { Kit } from "./kit.js";

/**
 * Refuses what only a relay could do: this version has no relay process, so that neither a relay nor a site behind one can
 * run. A site that would dial the server all the same would go round the way that its project asks for.
 *
 * @throws FlareError `kit/not-supported`.
 */
export function refuseRelays(kit: Kit): void {
  if (kit.type === "relay") {
    throw new FlareError("kit/not-supported", `${kit.dir} is the kit of relay '${kit.name}'; this version has no relay process.`, {
      facts: { dir: kit.dir, type: kit.type },
    });
  }
  if (kit.relay === undefined) return;
  const { name, address, file } = kit.relay;
  const { host, port } = kit.endpoint;
  throw new FlareError(
    "kit/not-supported",
    `${file} puts this site behind relay '${name}' at ${address}; this version has no relay process. Remove the file to let the site dial the server, ${host}:${port}, itself.`,
    { facts: { file, relay: name } },
  );
}
