import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { connectAdmin } from "../admin/connect-admin.js";
import { startServer } from "../server/start-server.js";
import { TestProject } from "../session/test-project.test-support.js";
import { startSite } from "../site/start-site.js";
import { TerminatingProxy } from "../transport/terminating-proxy.test-support.js";
import { freePort } from "./free-port.js";
import { adminName, createSmallFederation, type SmallFederation } from "./small-federation.test-support.js";

const stops: (() => unknown)[] = [];
const stopAll = async (): Promise<void> => {
  for (const stop of stops.splice(0).toReversed()) await stop();
};
afterEach(stopAll);

describe("a whole federation", () => {
  it("comes to the same model over mutual TLS, over a proxy that ends TLS, in clear text on one machine, and with keys of RSA", async () => {
    const direct = await runJob(await createSmallFederation());
    const proxied = await runJob(await behindProxy(true));
    const proxiedToClear = await runJob(await behindProxy(false));
    const clear = await runJob(await createSmallFederation({ connectionSecurity: "clear" }));
    const byRsa = await runJob(await createSmallFederation({ keyType: "rsa-2048" }));
    for (const { model } of [proxied, proxiedToClear, clear, byRsa]) expect(model).toBe(direct.model);
    // Where the proxy says that sites are: a claim, in quotes.
    expect(proxied.audit).toContain(String.raw`"claimed_address":"\"203.0.113.7\""`);
    expect(direct.audit).not.toContain("claimed_address");
    // Five federations, one after the other.
  });
});

/** A federation whose kits lead to a proxy; `isTls` says whether the proxy encrypts again on its way to the server. */
async function behindProxy(isTls: boolean): Promise<SmallFederation> {
  const authority = new TestProject("authority of proxies");
  const { certificatePem, privateKeyPem } = authority.issue({ name: "localhost" });
  const serverPort = await freePort();
  const proxy = new TerminatingProxy({ certificatePem, privateKeyPem, upstream: { port: serverPort, isTls } });
  const port = await proxy.start();
  stops.push(() => proxy.stop());
  return await createSmallFederation({
    connectionSecurity: "tls",
    proxy: { port, rootCaPem: authority.rootCaPem },
    serverPort,
    serverSecurity: isTls ? "tls" : "clear",
  });
}

/** Runs a job on two sites; gives the SHA-256 of its model, and the server's audit log. */
async function runJob(federation: SmallFederation): Promise<{ readonly model: string; readonly audit: string }> {
  stops.push(() => federation.dispose());
  const server = await startServer({ kitDir: federation.kitDir("localhost") });
  stops.push(() => server.stop());
  for (const name of ["site-1", "site-2"]) {
    const site = await startSite({ kitDir: federation.kitDir(name) });
    stops.push(() => site.stop());
  }
  const admin = await connectAdmin({ kitDir: federation.kitDir(adminName) });
  stops.push(() => admin.close());
  const { jobId } = await admin.submitJob(await federation.writeJob(["site-1", "site-2"], { script: trainScript }));
  const events: string[] = [];
  for await (const { event } of admin.watchJob(jobId)) events.push(event.type);
  expect(events.at(-1)).toBe("job-ended");
  const { dir } = await admin.downloadJob(jobId, federation.folder);
  const model = await readFile(join(dir, "models", "FL_global_model.safetensors"));
  const audit = await readFile(join(federation.kitDir("localhost"), "audit.log"), "utf8");
  await stopAll();
  return { model: createHash("sha256").update(model).digest("hex"), audit };
}

const trainScript = `import * as flare from "@flare-ts/runtime/client";
await flare.init();
while (await flare.isRunning()) {
  const model = await flare.receive();
  if (model === undefined) break;
  const tensor = model.params.w;
  const data = tensor.data.map((value) => value + flare.getSiteName().length + Number(flare.getSiteName().at(-1)) / 3);
  await flare.send(new flare.FLModel({ params: { w: { ...tensor, data } }, paramsType: "FULL", meta: { NUM_STEPS_CURRENT_ROUND: 2 } }));
}
flare.shutdown();
`;
