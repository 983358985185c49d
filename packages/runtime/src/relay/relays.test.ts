import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { type ContentHash, FlareError, type Revocation } from "@flare-ts/contracts";
import { TrustKeeper } from "@flare-ts/provision/kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSmallFederation, type SmallFederation } from "../process/small-federation.test-support.js";
import { readProjectKeys } from "../session/project-keys.js";
import { type DialServerInit, dialServer } from "../transport/dial-server.js";
import { endpointOf } from "../transport/endpoint-of.js";
import { attachAsSite, openRelayTree, type RelayTree } from "./relays.test-support.js";

const object = { hash: "ab".repeat(32) as ContentHash, size: 1 };

let tree: RelayTree;
beforeEach(async () => {
  tree = await openRelayTree();
});
afterEach(async () => await tree.dispose());

describe("behind relays", () => {
  it("a site reaches the server through two of them, and both the server and its audit log say by which it comes", async () => {
    const [near, far] = [await tree.federation.dial("site-1"), await tree.federation.dial("site-2")];
    void attachAsSite(near);
    void attachAsSite(far);
    await expect.poll(tree.sites).toEqual(["site-1 by relay-1", "site-2 by relay-1"]);
    await expect
      .poll(() => audited("localhost"))
      .toContainEqual(
        expect.objectContaining({ who: "site-2", action: "session_registered", facts: expect.objectContaining({ relay: "relay-1" }) }),
      );
  });

  it("nobody gets in without a certificate of the project", async () => {
    const stranger = await another();
    try {
      const keys = await keysOf(stranger, "site-1");
      await expect(dialAs(tree.federation, "site-1", { keys })).rejects.toMatchObject({
        code: expect.stringMatching(/^(auth|transfer)\//),
      });
      const { endpoint } = await tree.federation.kit("site-1");
      const naked = connectTls({ ...endpoint, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
      await new Promise((resolve) => naked.once("close", resolve).on("error", () => undefined));
      await expect.poll(async () => (await audited("relay-1")).filter(({ action }) => action === "tls").length).toBe(2);
    } finally {
      await stranger.dispose();
    }
  });

  it("a relay that is not the one of the kit is not dialled", async () => {
    await expect(dialAs(tree.federation, "site-1", { relay: "relay-2" })).rejects.toMatchObject({
      code: "auth/tls-refused",
      message: expect.stringContaining("not of the relay"),
    });
    // A server in the relay's place, too.
    const { serverPort: port } = tree.federation;
    await expect(dialAs(tree.federation, "site-1", { port })).rejects.toMatchObject({ code: "auth/tls-refused" });
  });

  it("a site cannot be another, neither by its own certificate nor by the other's without the key", async () => {
    await expect(dialAs(tree.federation, "site-1", { name: "site-2" })).rejects.toMatchObject({ code: "auth/name-mismatch" });
    const [own, other] = [await keysOf(tree.federation, "site-1"), await keysOf(tree.federation, "site-2")];
    // TLS with its own certificate, the registration with the other's.
    let reads = 0;
    const keys = {
      ...own,
      get certificatePem(): string {
        return (reads += 1) === 1 ? own.certificatePem : other.certificatePem;
      },
    };
    await expect(dialAs(tree.federation, "site-1", { name: "site-2", keys })).rejects.toMatchObject({ code: "auth/bad-signature" });
  });

  it("a relay cannot act for whom it carries", async () => {
    const keys = await keysOf(tree.federation, "relay-1");
    const asSite = dialAs(tree.federation, "relay-1", { name: "site-1", keys });
    await expect(asSite).rejects.toMatchObject({ code: "auth/name-mismatch" });
    const itself = await dialAs(tree.federation, "relay-1", {});
    try {
      await expect(itself.stat(object)).rejects.toMatchObject({ code: "auth/wrong-kind" });
    } finally {
      itself.close();
    }
  });

  it("only a relay's connection takes sessions of others", async () => {
    const { serverPort: port } = tree.federation;
    // As if behind a relay, on a connection with the site's own certificate: the server agrees on no key.
    const direct = { port, relay: undefined, isRelay: true };
    await expect(dialAs(tree.federation, "site-1", direct)).rejects.toMatchObject({ code: "auth/server-untrusted" });
    // As if the relay were the server: no key is given, so that calls would not be proven.
    const { endpoint, relay } = await tree.federation.kit("site-1");
    const unproven = dialAs(tree.federation, "site-1", { ...endpoint, relay: undefined });
    await expect(unproven).rejects.toMatchObject({ code: "auth/security-mismatch" });
    expect(relay?.name).toBe("relay-1");
  });
});

describe("revoking", () => {
  it("a relay cuts everything below it within two seconds, and nothing else", async ({ annotate }) => {
    const [near, far] = [await tree.federation.dial("site-1"), await tree.federation.dial("site-2")];
    void attachAsSite(near);
    const cut = attachAsSite(far).then(() => performance.now());
    await expect.poll(tree.sites).toHaveLength(2);
    const fromMs = performance.now();
    const update = await tree.admin.updateTrust(await tree.federation.trustList({ number: 1, revoked: [revocation("relay-2")] }));
    const tookMs = (await cut) - fromMs;
    await annotate(`revoke to cut: ${Math.round(tookMs)} ms`);
    expect(tookMs).toBeLessThan(2_000);
    expect(update.sessions.map(({ name }) => name)).toEqual(["relay-2"]);
    expect(update.acknowledged).toContain("relay-1");
    expect(await tree.sites()).toEqual(["site-1 by relay-1"]);
    await expect(tree.federation.dial("site-2")).rejects.toMatchObject({ code: expect.stringMatching(/^(auth|transfer)\//) });
  });

  it("the relay next to the server cuts both levels, and says why to whoever comes", async ({ annotate }) => {
    const cut = Promise.all(["site-1", "site-2"].map(async (name) => attachAsSite(await tree.federation.dial(name))));
    await expect.poll(tree.sites).toHaveLength(2);
    const fromMs = performance.now();
    const update = await tree.admin.updateTrust(await tree.federation.trustList({ number: 1, revoked: [revocation("relay-1")] }));
    const reasons = await cut;
    await annotate(`revoke to cut: ${Math.round(performance.now() - fromMs)} ms`);
    expect(performance.now() - fromMs).toBeLessThan(2_000);
    expect(reasons).toEqual([expect.stringContaining("its relay is not trusted"), expect.stringContaining("its relay is not trusted")]);
    expect(update.sessions.map(({ name }) => name).sort()).toEqual(["relay-1", "relay-2", "site-1", "site-2"]);
    expect(await tree.sites()).toEqual([]);
    // Who comes at the moment in which the relay itself is refused is cut off with all others, and hears why the next time.
    const answers: string[] = [];
    const comeAgain = async (): Promise<string | undefined> => {
      answers.push(
        await tree.federation.dial("site-1").then(
          () => "let in",
          (error: unknown) => FlareError.from(error).code,
        ),
      );
      return answers.at(-1);
    };
    await expect.poll(comeAgain).toBe("auth/certificate-revoked");
    expect(answers).not.toContain("let in");
  });

  it("a site cuts it at the server and at its relay", async () => {
    const [near, far] = [await tree.federation.dial("site-1"), await tree.federation.dial("site-2")];
    void attachAsSite(near);
    const cut = attachAsSite(far);
    await expect.poll(tree.sites).toHaveLength(2);
    await tree.admin.updateTrust(await tree.federation.trustList({ number: 1, revoked: [revocation("site-2")] }));
    expect(await cut).toContain('The certificate of "site-2" was revoked');
    expect(await tree.sites()).toEqual(["site-1 by relay-1"]);
    await expect.poll(() => tree.lines.filter(({ message }) => message === "trust list in force").length).toBe(2);
    await expect(tree.federation.dial("site-2")).rejects.toMatchObject({ code: expect.stringMatching(/^(auth|transfer)\//) });
    // The site hears of it before the relay has written it down.
    await expect
      .poll(() => audited("relay-2"))
      .toContainEqual(expect.objectContaining({ action: "tls", outcome: "refused", reason: expect.stringContaining("revoked") }));
  });
});

async function dialAs(federation: SmallFederation, name: string, change: Partial<DialServerInit>): ReturnType<typeof dialServer> {
  const kit = await federation.kit(name);
  return await dialServer({ ...endpointOf(kit), keys: await keysOf(federation, name), ...change });
}

async function keysOf(federation: SmallFederation, name: string): Promise<DialServerInit["keys"]> {
  const kit = await federation.kit(name);
  return readProjectKeys(kit, (await TrustKeeper.open(kit)).trust);
}

/** A project of the same name with the same participants, and another root. */
async function another(): Promise<SmallFederation> {
  return await createSmallFederation();
}

async function audited(name: string): Promise<{ readonly action: string }[]> {
  const text = await readFile(join(tree.federation.kitDir(name), "audit.log"), "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { action: string });
}

function revocation(name: string): Revocation {
  return { name, serials: [], revoked_at_ms: Date.now(), reason: "keyCompromise" };
}
