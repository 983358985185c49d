// The main job, from nothing to a table: `npm start`. Everything that it makes is below `.flare/breast-cancer`.
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import process from "node:process";
import { type RunningDashboard, startDashboard } from "./dashboard.ts";
import { type EvaluatedModel, evaluate } from "./evaluate.ts";
import { type Federation, freePort, provisionFederation, removeFederation, startFederation, stopFederation } from "./federation.ts";
import { CommandFailed, type FlareCommand, flareCommand } from "./flare-command.ts";

const example = resolve(import.meta.dirname, "..");
const root = resolve(example, "../..");
const folder = join(root, ".flare", "breast-cancer");
const startMs = performance.now();

const stopping = new AbortController();
let stopSignal: "SIGINT" | "SIGTERM" | undefined;
let dashboard: RunningDashboard | undefined;
let isResultShown = false;
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    if (stopSignal !== undefined) process.exit(exitCodeOf(name));
    stopSignal = name;
    say("Stopping the server and the hospitals; once more leaves them running.");
    stopping.abort();
  });
}

// Whoever reads the output may go first (`npm start | head`, or Ctrl-C on a pipeline): what runs must be stopped all the same.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => stopping.abort());

try {
  await run(flareCommand(stopping.signal));
} catch (error) {
  process.exitCode = 1;
  if (stopSignal === undefined) {
    process.stderr.write(`${error instanceof CommandFailed ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
    if (existsSync(folder)) process.stderr.write(`Logs: ${relative(process.cwd(), folder)}/**/log.txt\n`);
  }
} finally {
  // Whatever happened, nothing stays behind that runs; what is stopped here has its own time to drain.
  await dashboard?.stop();
  const count = await stopFederation(flareCommand(), folder).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
    return 0;
  });
  if (count > 0) say(`Stopped ${count} processes.`);
}
if (stopSignal !== undefined && !isResultShown) process.exitCode = exitCodeOf(stopSignal);
else if (process.exitCode === undefined) say(`Done in ${seconds()} s. What was made is in .flare/breast-cancer; npm run clean removes it.`);

async function run(flare: FlareCommand): Promise<void> {
  await removeFederation(flareCommand(), folder);
  await mkdir(folder, { recursive: true });
  const federation: Federation = await provisionFederation({
    flare,
    projectFile: join(example, "project.yml"),
    folder,
    data: join(example, "data"),
  });
  say(`Certificates and startup kits for a server, ${federation.hospitalKits.length} hospitals and a researcher.`);
  await startFederation(flare, federation);
  say("The server and the hospitals run, each in a process of its own, connected over mutual TLS.");
  dashboard = await startDashboard({
    data: join(folder, "dashboard"),
    adminKit: federation.adminKit,
    port: await freePort(8443),
  });
  say(`Watch them in the browser; this link makes you the dashboard's first project admin:\n            ${dashboard.setUpLink}`);

  const admin = ["--startup-kit", federation.adminKit];
  const { job_id: jobId } = (await flare.data("job", "submit", "-j", join(example, "job"), ...admin)) as { job_id: string };
  say(`Job ${jobId}, signed by the researcher:`);
  await flare.show("job", "monitor", jobId, ...admin);
  const result = (await flare.data("job", "download", jobId, "-o", join(folder, "result"), ...admin)) as {
    readonly dir: string;
    readonly files: readonly { readonly path: string; readonly sha256: string }[];
  };
  const model = result.files.find((file) => file.path.endsWith("/FL_global_model.safetensors"));
  if (model === undefined) throw new Error("the job's result has no global model");
  const path = join(result.dir, model.path);
  say(`The global model: ${relative(root, path)}`);
  process.stdout.write(`\n${tableText(evaluate({ modelPath: path }))}\nsha256 ${model.sha256}\n\n`);
  isResultShown = true;
  if (process.stdin.isTTY && process.stdout.isTTY) await stayOpen(dashboard);
}

/** A person at a terminal has time to look around: everything runs on until they are done. */
async function stayOpen({ url }: RunningDashboard): Promise<void> {
  say(`Everything runs on, to be looked at: ${url} ('Clone' on the job's page trains once more). Ctrl-C stops it.`);
  const { signal } = stopping;
  if (!signal.aborted) await new Promise((settle) => signal.addEventListener("abort", settle, { once: true }));
}

/** Every model on the same held-out patients. */
function tableText(models: readonly EvaluatedModel[]): string {
  const line = (name: string, patients: string, accuracy: string, loss: string): string =>
    `${name.padEnd(24)}${patients.padStart(10)}${accuracy.padStart(10)}${loss.padStart(8)}\n`;
  const rows = models.map(({ name, patients, accuracy, loss }) =>
    line(name === "federated" || name === "pooled" ? name : `${name} alone`, String(patients), accuracy.toFixed(4), loss.toFixed(4)),
  );
  const caption = `Each model on the same ${models[0]?.judgedOn ?? 0} held-out patients, whom nobody trained on:\n\n`;
  return `${caption}${line("model", "trained on", "accuracy", "loss")}${rows.join("")}`;
}

function say(text: string): void {
  process.stdout.write(`[${seconds().padStart(5)} s] ${text}\n`);
}

function seconds(): string {
  return ((performance.now() - startMs) / 1000).toFixed(1);
}

function exitCodeOf(name: "SIGINT" | "SIGTERM"): number {
  return name === "SIGINT" ? 130 : 143;
}
