import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { bootstrapVariable, launcherVariable } from "../client/protocol.js";
import { identifyProcess } from "../process/process-identity.js";
import { endProcessesOf, endTrainersBelow } from "./trainer-leftovers.js";

const folder = `/srv/kit-${process.pid}`;

describe.skipIf(process.platform !== "linux")("what trainers have left", () => {
  it("ends below a folder, in whatever session it is and by whatever launcher it was started, and nothing else does", async () => {
    const own = await sleeping({ [bootstrapVariable]: `${folder}/job/client_api_0/bootstrap.json` });
    const launched = await sleeping({
      [bootstrapVariable]: "/tmp/flare-x/bootstrap.json",
      [launcherVariable]: `${folder}/job/client_api_1/bootstrap.json`,
    });
    const others = await Promise.all([
      sleeping({ [bootstrapVariable]: `${folder}-2/job/client_api_0/bootstrap.json` }),
      // Of a trainer that was started by hand.
      sleeping({ [bootstrapVariable]: `${folder}/attach/by-hand.json` }),
      sleeping({ OTHER: `${folder}/job/client_api_0/bootstrap.json` }),
    ]);
    await endTrainersBelow(folder);
    expect([own, launched].map(isRunning)).toEqual([false, false]);
    expect(others.map(isRunning)).toEqual([true, true, true]);
  });

  it("ends for one bootstrap file alone", async () => {
    const [wanted, other] = [0, 1].map((number) => `${folder}/job/client_api_${number}/bootstrap.json`);
    const processes = await Promise.all([wanted, other].map((path) => sleeping({ [bootstrapVariable]: path ?? "" })));
    await endProcessesOf((path) => path === wanted);
    expect(processes.map(isRunning)).toEqual([false, true]);
  });
});

async function sleeping(env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = spawn("sleep", ["600"], { env: { PATH: process.env["PATH"], ...env }, detached: true, stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  return child;
}

function isRunning({ pid }: ChildProcess): boolean {
  return pid !== undefined && identifyProcess(pid) !== undefined;
}
