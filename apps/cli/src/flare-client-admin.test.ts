import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, realpath, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeSafetensors } from "@flare-ts/aggregator";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type FlareFolder, flareFolder, withoutSettings } from "./flare-process.test-support.js";

const command = join(import.meta.dirname, "../dist/flare-client.js");
const candidates = [process.env["FLARE_PYTHON"] ?? "python3", "/usr/bin/python3"];
const numpy = candidates.find((python) => spawnSync(python, ["-c", "import numpy"]).status === 0);

/** Writes the folder of a job, and is no part of what an admin does. */
const jobScript = `
from nvflare.app_common.np.recipes.fedavg import NumpyFedAvgRecipe

NumpyFedAvgRecipe(name="growing", model=[1, 2], min_clients=2, num_rounds=2, train_script="client.py").export("jobs")
`;

const clientScript = `
import nvflare.client as flare

flare.init()
while flare.is_running():
    received = flare.receive()
    flare.send(flare.FLModel(params={"numpy_key": received.params["numpy_key"] + 1}))
`;

/** In the way of FLARE's tutorial on its session. */
const adminScript = `
import sys

from nvflare.fuel.flare_api.api_spec import JobNotFound, MonitorReturnCode, NoConnection
from nvflare.fuel.flare_api.flare_api import Session, basic_cb_with_print, new_secure_session

username, kit = sys.argv[1:]
sess = new_secure_session(username=username, startup_kit_location=kit)
try:
    info = sess.get_system_info()
    print("system", info.server_info.status, sorted(client.name for client in info.client_info), info.job_info)
    job_id = sess.submit_job("jobs/growing")
    print("monitored", sess.monitor_job(job_id, timeout=120, poll_interval=0.5, cb=basic_cb_with_print, cb_run_counter={"count": 0}).name)
    print("waited", sess.wait_for_job(job_id)["status"], sess.monitor_job(job_id) == MonitorReturnCode.JOB_FINISHED)
    print("listed", [(job["job_id"] == job_id, job["job_name"]) for job in sess.list_jobs()])
    print("detailed", [job["job_clients"] for job in sess.list_jobs(detailed=True, name_prefix="grow")])
    print("result", sess.download_job_result(job_id))
    print("logs", sorted(sess.get_job_logs(job_id, target="all")["unavailable"]))
    print("versions", sorted(sess.report_version("all")), "resources", sorted(sess.report_resources("all")))
    sess.configure_site_log("debug", "site-1")
    print("disabled", sess.disable_client("site-2")["outcome"], [client.name for client in sess.get_connected_client_list()])
    print("enabled", sess.enable_client("site-2")["outcome"])
    print("aborted", sess.abort_job(job_id), sess.delete_job(job_id)["job_id"] == job_id)
    try:
        sess.get_job_meta(job_id)
    except JobNotFound as error:
        print("gone", error)
    print("restarted", [one["outcome"] for one in sess.restart("client", ["site-1"], timeout=60)["outcomes"]])
    sess.shutdown_system()
finally:
    sess.close()
try:
    new_secure_session(username, kit, timeout=2)
except NoConnection as error:
    print("away", error.error_code)
sess.list_jobs()
`;

let folder: FlareFolder;
beforeEach(async () => {
  folder = await flareFolder();
});
afterEach(async () => {
  await folder.run("poc", "stop");
  await folder.remove();
});

/** Runs a script of an admin in the folder, which has to find `flare` by itself. */
async function run(script: string, ...args: readonly string[]): Promise<{ readonly exitCode: unknown; readonly said: string }> {
  const env = { ...withoutSettings(), HOME: folder.path, FLARE_PYTHON: numpy ?? "" };
  const child = spawn(process.execPath, [command, "run", script, ...args], { cwd: folder.path, env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const [exitCode] = (await once(child, "close")) as readonly unknown[];
  return { exitCode, said };
}

it.skipIf(numpy === undefined)(
  "does in a federation what an admin's script written for FLARE asks, with NumPy (Debian package python3-numpy)",
  async () => {
    await writeFile(join(folder.path, "job.py"), jobScript);
    await writeFile(join(folder.path, "client.py"), clientScript);
    await writeFile(join(folder.path, "admin.py"), adminScript);
    expect(await run("job.py")).toMatchObject({ exitCode: 0 });
    const { admin } = (await folder.data("poc", "prepare", "-n", "2")) as {
      readonly admin: { readonly name: string; readonly kit: string };
    };
    await folder.data("poc", "start");

    const { exitCode, said } = await run("admin.py", "admin@nvidia.com", admin.kit);
    const lines = said.split("\n");
    expect(lines).toContain("system started ['site-1', 'site-2'] []");
    expect(lines).toContain("monitored JOB_FINISHED");
    expect(lines).toContain("waited FINISHED:COMPLETED True");
    expect(lines).toContain("listed [(True, 'growing')]");
    expect(lines).toContain("detailed [['site-1', 'site-2']]");
    expect(lines).toContain("logs ['server', 'site-1', 'site-2']");
    expect(lines).toContain("versions ['server', 'site-1', 'site-2'] resources ['server', 'site-1', 'site-2']");
    expect(lines).toContain("disabled disabled ['site-1']");
    expect(lines).toContain("enabled enabled");
    expect(lines).toContain("aborted FINISHED:COMPLETED True");
    expect(said).toMatch(/^gone .+ \[job\/not-found\]$/m);
    expect(lines).toContain("restarted ['restarted']");
    expect(lines).toContain("away transfer/unreachable");
    expect(said).toMatch(/^flare-client: admin\.py:\d+: The session is closed; .+ \[runtime\/session-closed\]$/m);
    expect(said).not.toContain("Traceback");
    expect(exitCode).toBe(1);

    const result = /^result (.+)$/m.exec(said)?.[1] ?? "";
    expect(await realpath(join(result, ".."))).toBe(await realpath(join(admin.kit, "transfer")));
    expect(await readdir(join(result, "models"))).toContain("FL_global_model.safetensors");
    const model = decodeSafetensors(await readFile(join(result, "models", "FL_global_model.safetensors")));
    expect(Array.from(model.get("numpy_key")?.data as Float32Array)).toEqual([3, 4]);
  },
);
