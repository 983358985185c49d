import process from "node:process";
import { readEnvironment } from "../../environment.ts";
import { keepResult } from "../../result/keep-result.ts";
import { megabytes } from "../../result/number-text.ts";
import { peers } from "../peers.ts";
import { largeReport } from "./large-report.ts";
import type { LargeSettings } from "./large-settings.ts";
import { measureLargeRounds } from "./measure-large-rounds.ts";

/** Measures rounds of a large model, prints them and keeps the figures; the exit status is 1 when a limit on memory was passed. */
export async function benchLargeRounds(settings: LargeSettings, { isJson }: { readonly isJson: boolean }): Promise<void> {
  const environment = readEnvironment();
  const result = await measureLargeRounds(settings);
  const kept = keepResult(`rounds-${megabytes(settings.modelBytes)}MB`, {
    benchmark: "rounds",
    environment,
    settings,
    ...result,
    peers: peers.large,
  });
  process.stdout.write(isJson ? kept : largeReport(settings, result));
  const { server, kernel } = result;
  const isPassed = settings.maxMemory !== undefined && (server.peakBytes > settings.maxMemory || (kernel?.kills ?? 0) > 0);
  const isPassedAtSite =
    settings.siteMaxMemory !== undefined && result.sites.some(({ peakBytes }) => peakBytes > (settings.siteMaxMemory ?? 0));
  if (!isPassed && !isPassedAtSite) return;
  process.stderr.write("A limit on memory was passed.\n");
  process.exitCode = 1;
}
