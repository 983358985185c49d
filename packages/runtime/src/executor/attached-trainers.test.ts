import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FlareError } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OneExecutor, pythonWithNumpy } from "./one-executor.test-support.js";

const attach = { kind: "attach", attachId: "mri", isReconnectAllowed: true } as const;
const source = fileURLToPath(new URL("../../../../clients/python/src", import.meta.url));
const script = `
import os, sys
import flare_client as flare
flare.init()
print("attached", flare.get_job_id(), flush=True)
while flare.is_running():
    model = flare.receive()
    if sys.argv[1:] == ["dies"]:
        os._exit(3)
    if sys.argv[1:] == ["hangs"]:
        import threading
        threading.Event().wait()
    flare.send(flare.FLModel(params=model.params, meta={"NUM_STEPS_CURRENT_ROUND": 1}))
print("over", flush=True)
`;

interface ByHand {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  output(): string;
}

describe.skipIf(pythonWithNumpy === undefined)("a trainer that is started by hand (Debian package python3-numpy)", () => {
  let site: OneExecutor;
  let started: ByHand[];

  beforeEach(() => {
    site = new OneExecutor();
    started = [];
    writeFileSync(join(site.root, "train.py"), script);
  });

  afterEach(async () => {
    await site.dispose();
    for (const { child } of started) child.kill("SIGKILL");
    await Promise.all(started.map(({ ended }) => ended));
  });

  function start(words: readonly string[], environment: Readonly<Record<string, string>> = {}): ByHand {
    const child = spawn(pythonWithNumpy ?? "", words, {
      env: { PATH: process.env["PATH"], PYTHONPATH: source, PYTHONUNBUFFERED: "1", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += String(chunk)));
    const byHand = { child, ended: once(child, "close").then(([code]) => code as number | null), output: () => text };
    started.push(byHand);
    return byHand;
  }

  const byCommand = (...words: string[]): ByHand =>
    start(["-m", "flare_client", "attach", "--folder", site.job.attachFolder, "--id", "mri", join(site.root, "train.py"), ...words]);

  it("finds its job, whichever of them is first, serves its rounds, and ends with it", async () => {
    const early = byCommand();
    await site.open({ launch: attach });
    expect((await site.train(0)).weight).toBe(1);
    expect((await site.train(1)).weight).toBe(1);
    expect(site.phases[0]).toMatchObject({ phase: "waiting", reason: "waits for a trainer to attach as 'mri'" });
    await site.dispose();
    expect(await early.ended).toBe(0);
    expect(early.output()).toContain(`attached ${site.job.jobId}`);
    expect(early.output()).toContain("over");
  });

  it("finds the only job by init() alone, and leaves nothing in the folder", async () => {
    await site.open({ launch: { ...attach, attachId: undefined } });
    start([join(site.root, "train.py")], { FLARE_ATTACH_FOLDER: site.job.attachFolder });
    expect((await site.train()).weight).toBe(1);
    expect(readdirSync(site.job.attachFolder).toSorted()).toEqual([`${site.job.jobId}.json`, `${site.job.jobId}.sock`]);
    await site.stop();
    expect(readdirSync(site.job.attachFolder)).toEqual([]);
  });

  it("is refused while another serves the job, which goes on undisturbed", async () => {
    await site.open({ launch: attach });
    byCommand();
    await site.train(0);
    const second = byCommand();
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain("client-api/attach-refused");
    expect(second.output()).toContain(`Another trainer serves job ${site.job.jobId}`);
    expect((await site.train(1)).weight).toBe(1);
  });

  it("may be followed by another when it dies or hangs, which gets the same task", async () => {
    await site.dispose();
    site = new OneExecutor({ stallMs: 1_500 });
    writeFileSync(join(site.root, "train.py"), script);
    await site.open({ launch: attach, maxRestarts: 2, launchTimeoutMs: 30_000 });
    const trained = site.train();
    expect(await byCommand("dies").ended).toBe(3);
    const hanging = byCommand("hangs");
    while (site.restarts.length < 2) await site.moment();
    // Nobody here may end what somebody started by hand; it has lost its channel.
    expect(hanging.child.exitCode).toBeNull();
    byCommand();
    expect((await trained).weight).toBe(1);
    expect(site.restarts.map(({ code }) => code)).toEqual(["client-api/trainer-died", "client-api/trainer-stalled"]);
  });

  it("is not followed where the job does not allow it", async () => {
    await site.open({ launch: { ...attach, isReconnectAllowed: false }, maxRestarts: 3 });
    const failed = site.failure();
    byCommand("dies");
    expect((await failed).code).toBe("client-api/trainer-died");
  });

  it("is waited for as long as attach_timeout says, and told of by name and folder", async () => {
    await site.open({ launch: attach, launchTimeoutMs: 2_000 });
    expect(await site.failure()).toMatchObject({
      code: "client-api/attach-timeout",
      facts: { attachId: "mri", folder: site.job.attachFolder, seconds: 2 },
    });
    expect(existsSync(join(site.job.attachFolder, "mri.json"))).toBe(false);
    const late = start(["-m", "flare_client", "attach", "--folder", site.job.attachFolder, "--wait", "0.1", join(site.root, "train.py")]);
    expect(await late.ended).toBe(1);
    expect(late.output()).toContain("has no profile of any job that waits for a trainer");
  });

  it("cannot take the name of another job", async () => {
    await site.open({ launch: attach });
    const first = site.train();
    await site.isThere(join(site.job.attachFolder, "mri.json"));
    const other = new OneExecutor({ attachFolder: site.job.attachFolder });
    await other.open({ launch: attach });
    const error = await other.failure();
    await other.dispose();
    expect(error).toBeInstanceOf(FlareError);
    expect(JSON.stringify(error.facts["output"])).toContain("give this job another attach_id");
    byCommand();
    expect((await first).weight).toBe(1);
    expect(existsSync(join(site.job.attachFolder, "mri.sock"))).toBe(true);
  });
});
