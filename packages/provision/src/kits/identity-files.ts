import { type KitFile, plainFile, secretFile } from "./kit-file.js";
import type { KitInit } from "./kit-init.js";

/** Who a participant is and whom it trusts: certificates, keys, roots and the trust list. */
export function identityFiles({ participant, identity, rootCertificatePem, listener, issuing, trustListText }: KitInit): KitFile[] {
  const own = participant.type === "server" ? "server" : "client";
  const customCa = customCaOf(participant);
  return [
    plainFile(`startup/${own}.crt`, identity.certificatePem),
    secretFile(`startup/${own}.key`, identity.privateKeyPem),
    plainFile("startup/rootCA.pem", rootCertificatePem),
    ...(customCa === undefined ? [] : [plainFile("startup/customRootCA.pem", customCa)]),
    ...(listener === undefined
      ? []
      : [plainFile("startup/server.crt", listener.certificatePem), secretFile("startup/server.key", listener.privateKeyPem)]),
    ...(issuing === undefined
      ? []
      : [plainFile("startup/issuing.crt", issuing.certificatePem), secretFile("startup/issuing.key", issuing.privateKeyPem)]),
    ...(trustListText === undefined ? [] : [plainFile("startup/trust.json", trustListText)]),
  ];
}

/** Only who dials with `tls` meets a certificate that is not of the project. */
function customCaOf(participant: KitInit["participant"]): string | undefined {
  return participant.type !== "server" && participant.connectTo.connectionSecurity === "tls" ? participant.customCaCert : undefined;
}
