import { createPrivateKey, createPublicKey } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { signRenewal } from "@flare-ts/provision";
import { readRequest } from "@flare-ts/provision/issue";
import { identityFolderOf, TrustKeeper } from "@flare-ts/provision/kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { IdentityFolder } from "../identity/identity-folder.js";
import { openLiveIdentity } from "../identity/open-live-identity.js";
import { lineLogger } from "../logging/line-logger.js";
import { createSmallFederation, type SmallFederation } from "../process/small-federation.test-support.js";
import { RenewalService } from "./renewal-service.js";

let federation: SmallFederation;

beforeEach(async () => {
  federation = await createSmallFederation();
});
afterEach(() => federation.dispose());

async function openService() {
  const kit = await federation.kit("localhost");
  const keeper = await TrustKeeper.open(kit);
  const init = { kit, workspace: kit.dir };
  const opened = await openLiveIdentity({ ...init, trust: keeper.trust, nowMs: Date.now(), warn: () => undefined });
  const audience = { names: () => [], push: () => undefined };
  const parts = { ...opened, keeper, audience, audit: { write: () => undefined }, logger: lineLogger(undefined), now: Date.now };
  return { kit, ...opened, service: await RenewalService.open({ ...parts, onOwnReady: () => undefined }, init) };
}

describe("the server's part in renewals", () => {
  it("renews its own certificate in turn, however many want that at once, and keeps each with its key", async () => {
    const { folder, identity, service } = await openService();
    const outcomes = await Promise.allSettled([service.renewOwn(), service.renewOwn(), service.renewOwn()]);
    expect(outcomes).toEqual(outcomes.map(() => ({ status: "fulfilled", value: "renewed" })));
    const { certificatePem, privateKeyPem } = identity;
    expect(await folder.read()).toEqual({ identities: [{ certificatePem, privateKeyPem }], damaged: [] });
  });

  it("makes one request for the next issuing certificate, however many look at once whether one is wanted", async () => {
    const { kit } = await openService();
    await rm(join(kit.startup.dir, "issuing.key"));
    const { service } = await openService();
    await Promise.all([service.keepIssuer(), service.keepIssuer(), service.keepIssuer()]);
    const [waiting, ...others] = service.waiting();
    expect(others).toEqual([]);
    const keyPem = await readFile(join(identityFolderOf(kit.dir), "issuing", "next", "issuing.key"), "utf8");
    const ofRequest = readRequest(waiting?.csrPem ?? "").publicKey;
    expect(createPublicKey(createPrivateKey(keyPem)).equals(ofRequest)).toBe(true);
  });

  it("takes an issuing certificate with the key that it is for, whoever looks meanwhile whether one is wanted", async () => {
    const { kit } = await openService();
    await rm(join(kit.startup.dir, "issuing.key"));
    const { service } = await openService();
    await service.keepIssuer();
    const [renewal] = service.waiting();
    if (renewal === undefined) throw new Error("nothing waits");
    const certificatePem = await signRenewal({ workspace: join(federation.folder, "workspace"), caKey: "clear", renewal });
    const completed = new AbortController();
    const done = service.complete(renewal.id, certificatePem).finally(() => completed.abort());
    while (!completed.signal.aborted) {
      await service.keepIssuer();
      await nextTurn();
    }
    await done;
    const folder = new IdentityFolder({ folder: join(identityFolderOf(kit.dir), "issuing"), name: "issuing" });
    expect(await folder.read()).toMatchObject({ identities: [{ certificatePem }], damaged: [] });
    expect(service.waiting()).toEqual([]);
  });
});
