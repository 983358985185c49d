import process from "node:process";
import { readEnvironment } from "../../environment.ts";
import { keepResult } from "../../result/keep-result.ts";
import { megabytes } from "../../result/number-text.ts";
import { peers } from "../peers.ts";
import { largeReport, sitesReport } from "./large-report.ts";
import type { LargeSettings } from "./large-settings.ts";
import { type LargeRounds, measureLargeRounds } from "./measure-large-rounds.ts";

/**
 * Measures rounds of a large model, with each of some numbers of sites, prints them and keeps the figures; the exit status is 1 when a
 * limit on memory was passed.
 */
export async function benchLargeRounds(runs: readonly LargeSettings[], { isJson }: { readonly isJson: boolean }): Promise<void> {
  const environment = readEnvironment();
  const measured: { readonly settings: LargeSettings; readonly result: LargeRounds }[] = [];
  for (const settings of runs) {
    const result = await measureLargeRounds(settings);
    measured.push({ settings, result });
    if (!isJson) process.stdout.write(largeReport(settings, result));
  }
  const [first] = measured;
  if (first === undefined) return;
  if (!isJson && measured.length > 1) process.stdout.write(sitesReport(measured));
  const name = `rounds-${megabytes(first.settings.modelBytes)}MB${measured.length > 1 ? "-sites" : ""}`;
  const figures = measured.map(({ settings, result }) => ({ settings, ...result }));
  const kept = keepResult(name, { benchmark: "rounds", environment, runs: figures, peers: peers.large });
  if (isJson) process.stdout.write(kept);
  if (!measured.some(isLimitPassed)) return;
  process.stderr.write("A limit on memory was passed.\n");
  process.exitCode = 1;
}

function isLimitPassed({ settings, result }: { readonly settings: LargeSettings; readonly result: LargeRounds }): boolean {
  const { maxMemory, siteMaxMemory } = settings;
  const { server, sites, kernel } = result;
  const isPassed = maxMemory !== undefined && (server.peakBytes > maxMemory || (kernel?.kills ?? 0) > 0);
  return isPassed || (siteMaxMemory !== undefined && sites.some(({ peakBytes }) => peakBytes > siteMaxMemory));
}
