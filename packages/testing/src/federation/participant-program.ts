import { FlareError } from "@flare-ts/contracts";
import { startServer, startSite } from "@flare-ts/runtime";

// What the watchdog of a kit runs in tests: `<server|client> start <kit>`, as the flare command would.
const [kind, , kitDir = "."] = process.argv.slice(2);
const lifetime = process.env["FLARE_TEST_LEAF_LIFETIME_MS"];
const leafLifetimeMs = lifetime === undefined ? undefined : Number(lifetime);
const stopping = new AbortController();
const stopped = new Promise<void>((resolve) => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      stopping.abort();
      resolve();
    });
  }
});
try {
  const running = kind === "server" ? await startServer({ kitDir, leafLifetimeMs }) : await startSite({ kitDir, signal: stopping.signal });
  await stopped;
  await running.stop();
} catch (reason) {
  const error = FlareError.from(reason);
  process.stderr.write(`${error.code}: ${error.message}\n${JSON.stringify(error.facts)}\n`);
  process.exitCode = stopping.signal.aborted ? 0 : error.row.exit;
}
