import { FlareError } from "@flare-ts/contracts/errors";
import type { Ending } from "@flare-ts/runtime";

// What the watchdog of a kit runs in tests: `<server|client|relay> start <kit>`, as the flare command would.
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
  const runtime = await import("@flare-ts/runtime");
  const { startRelay, startServer, startSite, useSmallPools } = runtime;
  const { signal } = stopping;
  const watch = runtime.watchOf(process.env);
  const start = async (): Promise<{ readonly asked: Promise<Ending>; stop(): Promise<void> }> => {
    if (kind === "server") return await startServer({ kitDir, leafLifetimeMs, watch });
    if (kind === "relay") return await startRelay({ kitDir, signal });
    return await startSite({ kitDir, signal, watch });
  };
  const running = await start();
  // The flare command also makes the heap small, which is a third of a start's processor time; no federation of a test is measured for it.
  useSmallPools();
  const ending = await Promise.race([stopped, running.asked]);
  await running.stop();
  if (ending?.how === "restart") process.exitCode = runtime.restartStatus;
} catch (reason) {
  const error = FlareError.from(reason);
  process.stderr.write(`${error.code}: ${error.message}\n${JSON.stringify(error.facts)}\n`);
  process.exitCode = stopping.signal.aborted ? 0 : error.row.exit;
}
