import { open } from "node:fs/promises";
import type { Contestant, FigureHead } from "../contestant.ts";
import type { BandwidthName, BandwidthThreads } from "./bandwidth-threads.ts";

/** The id of the figure that says how fast so many threads read memory. */
function readId(threads: number): string {
  return `machine/read/t${threads}`;
}

/** How fast memory is read, copied and combined on so many threads. */
export function memoryContestants(bandwidth: BandwidthThreads, threadCounts: readonly number[]): readonly Contestant[] {
  return threadCounts.flatMap((threads) => {
    const head = (what: string, id: string, name: BandwidthName): FigureHead => ({
      id,
      group: "machine",
      what,
      source: "memory",
      threads,
      bytes: bandwidth.bytes(name, threads),
      against: {},
    });
    return [
      {
        figures: [head("read", readId(threads), "read")],
        // Several streams are faster on some machines and slower on others: what can be read is the better of the two.
        run: async () => [Math.min(await bandwidth.run("read", threads), await bandwidth.run("readFour", threads))],
      },
      { figures: [head("copy", `machine/copy/t${threads}`, "copy")], run: async () => [await bandwidth.run("copy", threads)] },
      {
        figures: [head("triad: a = b + s * c", `machine/triad/t${threads}`, "triad")],
        run: async () => [await bandwidth.run("triad", threads)],
      },
    ];
  });
}

/** The id of the figure that says how fast files are read. */
const filesId = "machine/files/t1";

/** How fast files in the page cache are read in chunks of 1 MiB, one after the other, with nothing done to them. */
export function filesContestant(files: readonly string[], updateBytes: number): Contestant {
  // Memory that may grow begins on a page. Other large buffers begin 16 bytes after one, and pages of files are copied there at a
  // quarter of the speed on Zen 3.
  const chunk = new Uint8Array(new ArrayBuffer(2 ** 20, { maxByteLength: 2 ** 20 }));
  return {
    figures: [
      {
        id: filesId,
        group: "machine",
        what: "read files from the page cache",
        source: "files",
        threads: 1,
        bytes: files.length * updateBytes,
        against: {},
      },
    ],
    run: async () => {
      const start = performance.now();
      for (const file of files) {
        const handle = await open(file, "r");
        try {
          for (let position = 0; ; ) {
            const { bytesRead } = await handle.read(chunk, 0, chunk.byteLength, position);
            if (bytesRead === 0) break;
            position += bytesRead;
          }
        } finally {
          await handle.close();
        }
      }
      return [performance.now() - start];
    },
  };
}
