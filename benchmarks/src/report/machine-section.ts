import type { BenchResult } from "../result/result.ts";
import { element } from "./markup.ts";
import { type PageSection, section } from "./section.ts";

/** On what, with what and how everything was measured. */
export function machineSection({ environment, commandLine, settings, devices, python, notes }: BenchResult): PageSection {
  const options = Object.entries(settings.strategyOptions).map(([name, value]) => `${name} = ${String(value)}`);
  const entries: readonly (readonly [string, string])[] = [
    ["Processor", `${environment.cpu}, ${environment.cores} cores, ${environment.memoryGiB} GiB of memory`],
    ["System", environment.os],
    ["FLARE-TS", `${environment.software}, commit ${environment.commit.slice(0, 12)}${environment.isModified ? " with changes" : ""}`],
    ["Node", environment.node],
    ...Object.entries(devices).map(([name, device]) => [name, device] as const),
    ...(python === null ? [] : pythonEntries(python)),
    ["Strategy", [settings.strategy, ...options].join(", ")],
    [
      "Updates",
      `layout ${settings.layout}, ${settings.dtype}, random values between −0.5 and 0.5${settings.compression === "none" ? "" : `, compressed to ${settings.compression}`}`,
    ],
    ["Runs", `${settings.runs} after one to warm up, everything in turns`],
    ["Date", environment.date.replace("T", " ").replace(/\..*/, " UTC")],
  ];
  return section(
    "machine",
    "Machine and command",
    "",
    element(
      "dl",
      {},
      entries.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))),
    ),
    element("pre", { tabindex: 0, role: "region", "aria-label": "Command line" }, element("code", {}, commandLine)),
    notes.length === 0
      ? undefined
      : [
          element("h3", {}, "Left out"),
          element(
            "ul",
            {},
            notes.map((note) => element("li", {}, note)),
          ),
        ],
  );
}

function pythonEntries({ python, numpy, torch, blas }: NonNullable<BenchResult["python"]>): readonly (readonly [string, string])[] {
  const core = blas.core === null ? "" : `, kernels for ${blas.core}`;
  const threads = blas.threads === null ? "" : `, ${blas.threads} threads`;
  return [
    ["Python", `${python}, NumPy ${numpy}, ${torch === null ? "no PyTorch" : `PyTorch ${torch}`}`],
    ["BLAS", `${blas.library}${core}${threads}`],
  ];
}
