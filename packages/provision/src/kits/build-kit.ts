import { adminFiles } from "./admin-kit.js";
import { clientFiles } from "./client-kit.js";
import type { KitFile } from "./kit-file.js";
import type { KitInit } from "./kit-init.js";
import { relayFiles } from "./relay-kit.js";
import { serverFiles } from "./server-kit.js";

/** All files of one participant's kit, but the signatures. */
export function buildKit(init: KitInit): readonly KitFile[] {
  const { participant, ...rest } = init;
  if (participant.type === "server") return serverFiles({ participant, ...rest });
  if (participant.type === "client") return clientFiles({ participant, ...rest });
  if (participant.type === "relay") return relayFiles({ participant, ...rest });
  return adminFiles({ participant, ...rest });
}
