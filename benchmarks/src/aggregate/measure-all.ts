import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BenchResult, Point } from "../result/result.ts";
import type { AggregateSettings, PointSize } from "./aggregate-settings.ts";
import { findPython, pythonCandidates } from "./baselines/find-python.ts";
import { type PythonProcess, startPython } from "./baselines/python-process.ts";
import { tensorBytes } from "./layouts/float-dtype.ts";
import { layoutTensors } from "./layouts/layouts.ts";
import { bandwidthThreads } from "./machine/bandwidth-threads.ts";
import { measurePoint } from "./measure-point.ts";
import { compressUpdates } from "./updates/compress-updates.ts";
import { distinctFiles, writeUpdates } from "./updates/write-updates.ts";

export interface MeasureAllInit {
  readonly settings: AggregateSettings;
  /** Existing folder for updates. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Told what happens next. */
  readonly say: (line: string) => void;
  /** Processors of this machine. */
  readonly cores: number;
}

/** Memory that bandwidth is measured on: several times the last cache of most machines. */
const bandwidthBytes = { usual: 2 ** 29, quick: 2 ** 27 };

/** Measures at all sizes. */
export async function measureAll(init: MeasureAllInit): Promise<Pick<BenchResult, "points" | "devices" | "python" | "notes">> {
  const { settings, folder, signal, say, cores } = init;
  const notes = new Set<string>();
  const points: Point[] = [];
  let devices: Readonly<Record<string, string>> = {};
  const { python, ...found } = await openPython(settings, (text) => notes.add(text));
  const machineThreads = [...new Set([1, Math.min(2, cores), ...settings.threads])].toSorted((a, b) => a - b);
  say(`measuring ${settings.points.length === 1 ? "one size" : `${settings.points.length} sizes`}; ${found.text}`);
  const bandwidth = bandwidthThreads(Math.max(...machineThreads), settings.isQuick ? bandwidthBytes.quick : bandwidthBytes.usual);
  if (bandwidth === undefined) notes.add("The machine's memory was not measured: this process has no WebAssembly.");
  try {
    for (const [i, size] of settings.points.entries()) {
      const tensors = layoutTensors(settings.layout, settings.dtype, size.params);
      const at = join(folder, String(i));
      await mkdir(at);
      const distinct = await distinctFiles(at, tensors, size.clients);
      if (distinct < size.clients)
        notes.add(`The disk had no room for all updates: ${distinct} of ${size.clients} files have contents of their own.`);
      say(`${sizeText(size, settings)}: writing ${distinct} files of ${(tensorBytes(tensors) / 1e6).toFixed(1)} MB`);
      const files = await writeUpdates({ folder: at, tensors, dtype: settings.dtype, count: size.clients, distinct, signal });
      if (settings.compression !== "none") say(`${sizeText(size, settings)}: compressing to ${settings.compression}`);
      const engineFiles = await compressUpdates(files, { form: settings.compression, distinct, signal });
      const measured = await measurePoint({
        settings,
        tensors,
        files,
        engineFiles,
        distinctFiles: distinct,
        folder: at,
        python,
        bandwidth,
        machineThreads,
        signal,
        say: (line) => say(`${sizeText(size, settings)}: ${line}`),
      });
      points.push(measured.point);
      devices = { ...devices, ...measured.devices };
      for (const note of measured.notes) notes.add(settings.points.length === 1 ? note : `${sizeText(size, settings)}: ${note}`);
      await rm(at, { recursive: true });
    }
    return { points, devices, notes: [...notes], python: found.versions };
  } finally {
    await bandwidth?.close();
    if (!signal.aborted) await python?.close();
  }
}

interface OpenPython {
  readonly python: PythonProcess | undefined;
  readonly versions: BenchResult["python"];
  readonly text: string;
}

async function openPython({ baselines, python: wanted }: AggregateSettings, note: (text: string) => void): Promise<OpenPython> {
  if (baselines.length === 0) return { python: undefined, versions: null, text: "no baselines" };
  const found = await findPython(wanted === undefined ? pythonCandidates : [wanted]);
  if (found === undefined) {
    note(`No baselines: there is no NumPy in ${wanted ?? pythonCandidates.join(" or ")}. Name a Python that has it with --python.`);
    return { python: undefined, versions: null, text: "no baselines" };
  }
  if (!found.hasTorch) note(`No PyTorch: ${found.command} has NumPy alone. Name a Python that has both with --python.`);
  const python = await startPython(found.command);
  const { numpy, torch } = python.versions;
  const text = `baselines in NumPy ${numpy}${torch === null ? "" : ` and PyTorch ${torch}`}`;
  return { python, versions: { command: found.command, ...python.versions }, text };
}

function sizeText({ clients, params }: PointSize, { layout }: AggregateSettings): string {
  const size =
    layout === "flat" || layout === "160" ? `${params >= 1e6 ? `${+(params / 1e6).toFixed(2)} million` : params} parameters` : layout;
  return `${clients} ${clients === 1 ? "update" : "updates"} of ${size}`;
}
