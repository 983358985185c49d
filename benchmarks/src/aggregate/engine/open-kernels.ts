import process from "node:process";
import type { SumMode } from "@flare-ts/aggregator";
import type { FigureHead } from "../contestant.ts";
import type { StrategyRow } from "../strategies.ts";
import { kernelsInMemory, mostKernelBytes, type OpenContestants } from "./kernels-in-memory.ts";
import { kernelsOnChunks } from "./kernels-on-chunks.ts";

export interface OpenKernelsInit {
  readonly model: string;
  readonly files: readonly string[];
  readonly updateBytes: number;
  /** Floating elements of one update. */
  readonly params: number;
  readonly modes: readonly SumMode[];
  readonly row: StrategyRow;
  readonly threads: readonly number[];
  readonly against: (threads: number) => FigureHead["against"];
  /** Told what is left out, and why. */
  readonly note: (text: string) => void;
}

/** The kernels by themselves, as far as there is memory for the updates. */
export async function openKernels(init: OpenKernelsInit): Promise<readonly OpenContestants[]> {
  const { files, updateBytes, params, modes, row, note } = init;
  const bytes = files.length * updateBytes;
  const free = process.availableMemory();
  const opened: OpenContestants[] = [];
  if (bytes > mostKernelBytes)
    note("Kernels on updates in memory were left out: the updates are larger than the 4 GiB that kernels address.");
  else if (bytes > 0.8 * free) note("Kernels on updates in memory were left out: this machine has no memory for the updates.");
  else opened.push(await kernelsInMemory(init));
  // Scales and indices stand behind the values that they are for, so these do not come in chunks that can be added.
  if (row.kernels !== "mean" || files[0] !== init.model) return opened;
  const chunkBytes = 12 * params + Math.min(files.length, 4) * updateBytes;
  if (8 * params > mostKernelBytes || chunkBytes > 0.8 * process.availableMemory()) {
    note("Kernels on chunks were left out: the sums of the model are larger than what kernels address, or than memory.");
  } else {
    const sums = modes.flatMap((mode) => (mode === "float64" ? [] : [mode]));
    opened.push(await kernelsOnChunks({ files, updateBytes, modes: sums, against: init.against(1) }));
  }
  return opened;
}
