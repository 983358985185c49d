import { FlareError } from "@flare-ts/contracts/errors";

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
  const { giveBackHeap, preferSmallHeap, startRelay, startServer, startSite } = await import("@flare-ts/runtime");
  const { signal } = stopping;
  const start = async (): Promise<{ stop(): Promise<void> }> => {
    if (kind === "server") return await startServer({ kitDir, leafLifetimeMs });
    if (kind === "relay") return await startRelay({ kitDir, signal });
    return await startSite({ kitDir, signal, onJobBegun: () => setImmediate(giveBackHeap) });
  };
  const running = await start();
  // As `flare client start` and `flare relay start` have it.
  if (kind !== "server") preferSmallHeap();
  giveBackHeap();
  await stopped;
  await running.stop();
} catch (reason) {
  const error = FlareError.from(reason);
  process.stderr.write(`${error.code}: ${error.message}\n${JSON.stringify(error.facts)}\n`);
  process.exitCode = stopping.signal.aborted ? 0 : error.row.exit;
}
