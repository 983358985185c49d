import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OneExecutor, pythonWithNumpy } from "./one-executor.test-support.js";

const stallMs = 1_000;
let site: OneExecutor;

beforeEach(() => {
  process.env["FLARE_PYTHON"] = pythonWithNumpy ?? "";
  site = new OneExecutor({ stallMs });
});
afterEach(() => site.dispose());

describe("a trainer in TypeScript", () => {
  const loop = (body: string): string => `
    import * as flare from "@flare-ts/runtime/client";
    import { appendFileSync, readFileSync } from "node:fs";
    await flare.init();
    while (await flare.isRunning()) {
      const model = await flare.receive();
      if (model === undefined) break;
      ${body}
      await flare.send({ params: model.params, meta: { NUM_STEPS_CURRENT_ROUND: 1 } });
    }`;

  it.each([
    ["whose loop never returns", "for (;;);", "the task's arrival"],
    ["that waits for what never comes", "setInterval(() => {}, 2 ** 30); await new Promise(() => {});", expect.any(String)],
    ["that stands still after it said that it moves", "flare.progress({ done: 3, total: 10, note: 'epoch 3' }); for (;;);", "epoch 3"],
  ])("%s is found, and named with the last that was heard", async (_what, body, last) => {
    await site.script("train.ts", loop(body));
    const error = await site.failure();
    expect(error).toMatchObject({ code: "client-api/trainer-stalled", facts: { seconds: 1, last } });
    expect(error.message).toMatch(/has not moved since \d{4}-\d\d-\d\dT[\d:.]+Z, for 1 s/);
  });

  it("is started again within the retry policy, and the task delivered again", async () => {
    const tries = JSON.stringify(site.path("tries"));
    const body = `appendFileSync(${tries}, "x"); if (readFileSync(${tries}, "utf8").length < 2) for (;;);`;
    await site.script("train.ts", loop(body), { maxRestarts: 1 });
    expect((await site.train()).weight).toBe(1);
    expect(site.restarts.map(({ code }) => code)).toEqual(["client-api/trainer-stalled"]);
  });

  it("may take many times the stall time while it says that it moves", async () => {
    const body = `for (let step = 1; step <= 15; step += 1) {
      const end = Date.now() + 200;
      while (Date.now() < end);
      flare.progress({ done: step, total: 15 });
    }`;
    await site.script("train.ts", loop(body));
    expect((await site.train()).weight).toBe(1);
    expect(site.phases).toContainEqual({ phase: "training", done: 15, total: 15, reason: "its progress()" });
  });

  it("gets less time where its job asks for less, and never more than the site gives", async () => {
    await site.script("train.ts", loop("for (;;);"), { stallTimeoutMs: 500 });
    expect(await site.failure()).toMatchObject({ facts: { seconds: 1 } });
    await site.dispose();
    site = new OneExecutor({ stallMs });
    await site.script("train.ts", loop("for (;;);"), { stallTimeoutMs: 3_600_000 });
    expect(await site.failure()).toMatchObject({ facts: { seconds: 1 } });
  });
});

describe.skipIf(pythonWithNumpy === undefined)("a trainer in Python with NumPy (Debian package python3-numpy)", () => {
  const loop = (body: string): string => `
import ctypes, os, subprocess, sys, threading, time
import flare_client as flare

def train_one_epoch():
    ${body.trim().split("\n").join("\n    ")}

flare.init()
while flare.is_running():
    model = flare.receive()
    train_one_epoch()
    flare.send(flare.FLModel(params=model.params, meta={"NUM_STEPS_CURRENT_ROUND": 1}))
`;

  it("that waits for what never comes is found, with its last lines and the place where it stands", async () => {
    const body = `print("token", os.environ["HUB"])\nthreading.Event().wait()`;
    await site.script("train.py", loop(body), { env: { HUB: { from_secret: "hub" } } }, { hub: "s3cret-value" });
    const error = await site.failure();
    expect(error).toMatchObject({ code: "client-api/trainer-stalled", facts: { output: ["token (secret)"] } });
    expect(JSON.stringify(error.facts["stack"])).toMatch(/train\.py.*line \d+ in train_one_epoch/);
    expect(JSON.stringify(error.toJSON())).not.toContain("s3cret-value");
  });

  it("that hangs once is started again, and the task delivered again", async () => {
    const body = `mark = ${JSON.stringify(site.path("tried"))}
if not os.path.exists(mark):
    open(mark, "w").close()
    threading.Event().wait()`;
    await site.script("train.py", loop(body), { maxRestarts: 1 });
    expect((await site.train()).weight).toBe(1);
    expect(site.restarts.map(({ code }) => code)).toEqual(["client-api/trainer-stalled"]);
  });

  it("may hold the interpreter's lock in native code for as long as the stall time, and no longer", async () => {
    // PyDLL keeps the lock during the call, as extensions do that are not written with care; so does a regular expression.
    await site.script("train.py", loop("ctypes.PyDLL(None).usleep(500_000)"));
    expect((await site.train()).weight).toBe(1);
    await site.dispose();
    site = new OneExecutor({ stallMs });
    await site.script(
      "train.py",
      loop(`import re
re.match("(a+)+$", "a" * 60 + "b")`),
    );
    const error = await site.failure();
    expect(error.code).toBe("client-api/trainer-stalled");
    expect(JSON.stringify(error.facts["stack"])).toContain("train_one_epoch");
  });

  it("may stay in one call for many times the stall time while it, or a process that it has started, is at work", async () => {
    const work = "end = time.process_time() + 1.6\\nwhile time.process_time() < end: pass";
    await site.script("train.py", loop(`subprocess.run([sys.executable, "-c", "import time\\n${work}"])`));
    expect((await site.train()).weight).toBe(1);
    await site.dispose();
    site = new OneExecutor({ stallMs });
    await site.script("train.py", loop(`import hashlib\nhashlib.pbkdf2_hmac("sha512", b"a", b"b", 1_000_000)`));
    expect((await site.train()).weight).toBe(1);
  });

  it("that keeps a processor busy for nothing is found once it has said by progress() how it moves", async () => {
    await site.script("train.py", loop(`flare.progress(1, 2, "batch 1")\nwhile True: pass`));
    expect(await site.failure()).toMatchObject({ code: "client-api/trainer-stalled", facts: { last: "batch 1" } });
  });

  it("that dies is reported with its last lines", async () => {
    await site.script("train.py", loop(`print("no such column: benign")\nos.kill(os.getpid(), 9)`));
    const error = await site.failure();
    expect(error).toMatchObject({ code: "client-api/trainer-died", facts: { signal: "SIGKILL", output: ["no such column: benign"] } });
  });

  it("started by a launcher says where each process stands", async () => {
    const launcher = `import os, subprocess, sys\nsys.exit(subprocess.call([sys.executable, "-m", "flare_client", "run", sys.argv[1]]))\n`;
    await site.script("start.py", launcher);
    await site.script("train.py", loop("threading.Event().wait()"));
    const command = [pythonWithNumpy ?? "", "-m", "flare_client", "launch", pythonWithNumpy ?? "", "start.py", "train.py"];
    await site.open({ launch: { kind: "command", command } });
    const error = await site.failure();
    expect(error.code).toBe("client-api/trainer-stalled");
    expect(JSON.stringify(error.facts["stack"])).toContain("train_one_epoch");
  });
});

describe("a trainer whose client sends no heartbeats", () => {
  it("is not judged by the stall time", async () => {
    const program = `
      const { Socket } = require("node:net"), { readFileSync, copyFileSync } = require("node:fs"), { join } = require("node:path");
      const boot = JSON.parse(readFileSync(process.env.FLARE_CLIENT_API_BOOTSTRAP, "utf8"));
      const socket = new Socket({ fd: 3 });
      const say = (message) => socket.write(JSON.stringify(message) + "\\n");
      let folder;
      say({ type: "hello", protocol_version: 1, client: "old" });
      socket.on("data", (chunk) => {
        for (const message of String(chunk).trim().split("\\n").map(JSON.parse)) {
          if (message.type === "welcome") folder = message.result_folder;
          if (message.type === "stop") process.exit(0);
          if (message.type !== "task") continue;
          const path = join(folder, "out.safetensors");
          copyFileSync(message.model_path, path);
          const result = { type: "result", task_id: message.task_id, path, params_type: "FULL", weight: 4, metrics: {}, meta: {} };
          setTimeout(() => say(result), 2_000);
        }
      });`;
    await site.open({ launch: { kind: "command", command: [process.execPath, "-e", program] } });
    expect((await site.train()).weight).toBe(4);
  });
});
