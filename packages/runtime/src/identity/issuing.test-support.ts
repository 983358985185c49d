import { createKeyPair, issueIntermediate, privateKeyPem } from "@flare-ts/provision/issue";
import type { TestProject } from "../session/test-project.test-support.js";
import type { StoredIdentity } from "./identity-folder.js";

export interface TestIssuingInit {
  /** @default client, server, relay */
  readonly mayIssue?: readonly string[];
  /** @default an hour ago */
  readonly from?: Date;
  /** @default in ten hours */
  readonly to?: Date;
}

/** An issuing certificate of a project, as the server's kit holds it. */
export async function makeIssuing(project: TestProject, init: TestIssuingInit = {}): Promise<StoredIdentity> {
  const {
    mayIssue = ["client", "server", "relay"],
    from = new Date(Date.now() - 3_600_000),
    to = new Date(Date.now() + 36_000_000),
  } = init;
  const keyPair = await createKeyPair("p256");
  const certificatePem = await issueIntermediate({
    commonName: `${project.name} issuing`,
    mayIssue,
    publicKey: keyPair.publicKey,
    validity: { from, to },
    issuer: project.authority,
  });
  return { certificatePem, privateKeyPem: privateKeyPem(keyPair) };
}
