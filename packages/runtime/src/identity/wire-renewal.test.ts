import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { RenewReplySchema } from "@flare-ts/contracts/wire";
import { issueFromRequest } from "@flare-ts/provision/issue";
import { readHosts, type TrustKeeper } from "@flare-ts/provision/kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Connection } from "../transport/connection.js";
import { startTestServer, type TestServer, type TestWay } from "../transport/test-server.test-support.js";
import { IdentityFolder } from "./identity-folder.js";
import { LiveIdentity } from "./live-identity.js";
import { WireRenewal } from "./wire-renewal.js";

const minute = 60_000;

describe.each<TestWay>(["mtls", "proxy", "clear"])("a certificate that ends between the look at it and the handshake, over %s", (way) => {
  let folder: string;
  let server: TestServer;
  let connection: Connection | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-wire-renewal-"));
    server = await startTestServer(
      {
        renew: async ({ subject, csrPem, certificate }) => {
          const validity = { from: new Date(Date.now() - minute), to: new Date(Date.now() + 60 * minute) };
          const { authority: issuer } = server.project;
          const chain = await issueFromRequest({ csrPem, issuer, subject, hosts: readHosts(certificate), validity, purpose: "client" });
          return create(RenewReplySchema, { certificate: chain });
        },
      },
      { renewalGraceMs: 30 * minute, way },
    );
  });

  afterEach(async () => {
    connection?.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("is renewed, and the connection is made with the next one", async () => {
    const ended = { validFrom: new Date(Date.now() - 60 * minute), validTo: new Date(Date.now() - 2_000) };
    const keys = server.project.issue({ name: "site-1", usage: "client", ...ended });
    const identity = new LiveIdentity({ keys });
    let looks = 0;
    const now = (): number => Date.now() - ((looks += 1) === 1 ? minute : 0);
    const renewal = new WireRenewal(
      {
        identity,
        folder: new IdentityFolder({ folder, name: "client" }),
        keeper: { trust: keys.trust } as unknown as TrustKeeper,
        now,
        live: () => undefined,
      },
      { target: server.dialInit("site-1", keys) },
    );
    connection = await renewal.dial();
    expect(identity.certificate.serialNumber).not.toBe(keys.certificate.serialNumber);
    expect(server.authenticator.sessionsOf("site-1")).toHaveLength(1);
  });
});
