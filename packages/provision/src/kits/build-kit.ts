import { adminFiles } from "./admin-kit.js";
import { clientFiles } from "./client-kit.js";
import { type KitFile, plainFile, secretFile } from "./kit-file.js";
import type { KitInit } from "./kit-init.js";
import { readme } from "./readme.js";
import { serverFiles } from "./server-kit.js";

/** All files of one participant's kit, but the signatures. */
export function buildKit(init: KitInit): readonly KitFile[] {
  const { participant, ...rest } = init;
  if (participant.type === "server") return serverFiles({ participant, ...rest });
  if (participant.type === "client") return clientFiles({ participant, ...rest });
  if (participant.type === "admin") return adminFiles({ participant, ...rest });
  return [
    plainFile("startup/client.crt", rest.identity.certificatePem),
    secretFile("startup/client.key", rest.identity.privateKeyPem),
    plainFile("startup/rootCA.pem", rest.rootCertificatePem),
    plainFile("readme.txt", readme(rest.project, participant)),
  ];
}
