import { open } from "node:fs/promises";
import { join } from "node:path";
import { fedAvg, type SumMode, WasmEngine } from "@flare-ts/aggregator";
import { type Summary, summarize } from "../statistics.ts";
import { measureMs } from "./measure.ts";

/** Milliseconds of whole sessions over files in the page cache. */
export interface FileFigures {
  /** Adding all updates: each file is read and checked. */
  readonly add: Summary;
  /** Folding all files into a file, with its hash; without fsync. */
  readonly finish: Summary;
  readonly kernelMiB: number;
  /** Resident memory of the process at the end, less that before the engine. */
  readonly addedMiB: number;
}

/** Milliseconds for reading all files in chunks of 1 MiB, one after the other, and nothing else. */
export async function measureReading(files: readonly string[], runs: number): Promise<Summary> {
  const chunk = new Uint8Array(2 ** 20);
  return measureMs(runs, async () => {
    for (const file of files) {
      const handle = await open(file, "r");
      for (let position = 0; ; ) {
        const { bytesRead } = await handle.read(chunk, 0, chunk.byteLength, position);
        if (bytesRead === 0) break;
        position += bytesRead;
      }
      await handle.close();
    }
  });
}

/** Measures sessions of the engine over files. */
export async function measureFiles(
  files: readonly string[],
  folder: string,
  init: { readonly mode: SumMode; readonly threads: number; readonly runs: number },
): Promise<FileFigures> {
  const before = process.memoryUsage().rss;
  const engine = await WasmEngine.create({ nowMs: () => performance.now() }, init);
  const add: number[] = [];
  const finish: number[] = [];
  try {
    for (let run = 0; run <= init.runs; run++) {
      const session = await engine.open({ model: files[0] ?? "", strategy: fedAvg(), paramsType: "FULL" });
      const start = performance.now();
      for (const [i, source] of files.entries())
        await session.add({ contributor: `site-${i}`, weight: 100 + i, source, paramsType: "FULL" });
      const added = performance.now();
      await session.finish({ outPath: join(folder, "out.safetensors"), isDurable: false });
      // The first run warms up.
      if (run > 0) {
        add.push(added - start);
        finish.push(performance.now() - added);
      }
    }
    return {
      add: summarize(add),
      finish: summarize(finish),
      kernelMiB: engine.kernelBytes / 2 ** 20,
      addedMiB: (process.memoryUsage().rss - before) / 2 ** 20,
    };
  } finally {
    await engine.close();
  }
}
