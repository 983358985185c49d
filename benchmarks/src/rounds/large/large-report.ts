import { megabytes, threeDigits } from "../../result/number-text.ts";
import { textColumns } from "../../result/text-columns.ts";
import { secondsText, summarize } from "../../statistics.ts";
import { peers } from "../peers.ts";
import type { LargeSettings } from "./large-settings.ts";
import type { LargeRounds, ParticipantMemory } from "./measure-large-rounds.ts";
import { everyMs } from "./watch-participants.ts";

/** The figures as a table, beside those of other systems where there are some for this size. */
export function largeReport(settings: LargeSettings, result: LargeRounds): string {
  const { modelBytes, sites, trainer, wire } = settings;
  const peer = peers.large.find(({ megabytes: size }) => size * 1e6 === modelBytes);
  const of = (name: "flare" | "flower", what: "seconds" | "serverTimes" | "siteTimes"): string => {
    if (peer === undefined) return "-";
    const value = peer[name][what];
    return what === "seconds" ? `${value.toFixed(1)} s` : `${threeDigits((value * modelBytes) / 1e6)} MB (${value} times the model)`;
  };
  const largest = result.sites.reduce((most, site) => (above(site) > above(most) ? site : most));
  const beside = (what: "seconds" | "serverTimes" | "siteTimes"): readonly [string, string] => [of("flare", what), of("flower", what)];
  const rows = [
    ["", "FLARE-TS", "FLARE", "Flower"],
    [`a round, ${megabytes(modelBytes)} MB, ${sites} sites`, secondsText(summarize(result.seconds)), ...beside("seconds")],
    ["of it aggregation", secondsText(summarize(result.aggregationSeconds)), "-", "-"],
    ["server, all processes, at most", `${megabytes(result.server.peakBytes)} MB`, ...beside("serverTimes")],
    ["server, above idle", `${megabytes(above(result.server))} MB`, "-", "-"],
    ["site beside its trainer, at most", `${megabytes(largest.peakBytes)} MB`, "-", "-"],
    ["site, above idle", `${megabytes(above(largest))} MB`, "-", "-"],
    ["trainer included", "-", ...beside("siteTimes")],
    ["updates of a round", `${megabytes(result.updateBytes)} MB`, "-", "-"],
    ["server, growth from early rounds to late", growthText(result.server), "-", "-"],
    ["site, growth from early rounds to late", growthText(largest), "-", "-"],
  ];
  return [
    ...textColumns(rows),
    `Trainers in ${trainer} add the number of their site; updates go ${wire === undefined ? "as they are" : `as ${wire}`}. Seconds: medians (smallest–largest, number).`,
    `Memory: proportional set sizes of processes from /proc, looked at every ${everyMs} ms in every second round, of which none is timed; those of FLARE and Flower are resident sets (RSS).`,
    ...kernelLines(result),
    "FLARE and Flower were measured on a machine of the same kind; see benchmarks/src/rounds/peers.ts.",
    "",
  ].join("\n");
}

/** The server's memory against the number of sites, a line for each. */
export function sitesReport(measured: readonly { readonly settings: LargeSettings; readonly result: LargeRounds }[]): string {
  const rows = measured.map(({ settings, result }) => [
    String(settings.sites),
    `${megabytes(result.server.peakBytes)} MB`,
    `${megabytes(above(result.server))} MB`,
    secondsText(summarize(result.seconds)),
  ]);
  return [...textColumns([["sites", "server, at most", "above idle", "a round"], ...rows]), ""].join("\n");
}

/**
 * How much more the median of the last quarter of the rounds is than that of the second quarter, by which processes have warmed up; a dash
 * for too few rounds.
 */
export function growthText({ perRound }: Pick<ParticipantMemory, "perRound">): string {
  const quarter = Math.floor(perRound.length / 4);
  if (quarter < 2) return "-";
  const early = summarize(perRound.slice(quarter, 2 * quarter)).median;
  const late = summarize(perRound.slice(-quarter)).median;
  return `${late < early ? "-" : "+"}${megabytes(Math.abs(late - early))} MB (${megabytes(early)} to ${megabytes(late)} MB)`;
}

/** What was held more than before there was a job. */
function above({ peakBytes, idleBytes }: ParticipantMemory): number {
  return peakBytes - idleBytes;
}

function kernelLines({ kernel, noKernel }: LargeRounds): readonly string[] {
  if (noKernel !== null) return [`The limit of the server was not kept by the kernel: ${noKernel}.`];
  if (kernel === null) return [];
  const peak = kernel.peakBytes === null ? "" : `, at most ${megabytes(kernel.peakBytes)} MB with files that it keeps at hand`;
  return [`The kernel held all processes of the server to ${megabytes(kernel.limitBytes)} MB${peak}, and killed ${kernel.kills} of them.`];
}
