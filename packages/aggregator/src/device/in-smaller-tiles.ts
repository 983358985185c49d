import { FlareError } from "@flare-ts/contracts/errors";
import { runElements, type Tile } from "./combine-device.js";

/**
 * Computes a tile, in halves of halves where the device has no room for it.
 *
 * @param compute - told also where the tile begins in the whole one
 * @param join - makes the result of a tile of those of its halves
 * @throws `aggregate/device-memory` when there is no room even for one run, and whatever else the device throws
 */
export async function inSmallerTiles<Result>(
  tile: Tile,
  compute: (tile: Tile, from: number) => Promise<Result>,
  join: (first: Result, second: Result) => Result,
  from = 0,
): Promise<Result> {
  try {
    return await compute(tile, from);
  } catch (cause) {
    const runs = (tile.values[0]?.length ?? 0) / runElements;
    if (!(cause instanceof FlareError) || cause.code !== "aggregate/device-memory" || runs < 2) throw cause;
    const half = Math.ceil(runs / 2) * runElements;
    const first = await inSmallerTiles({ values: tile.values.map((row) => row.subarray(0, half)) }, compute, join, from);
    const second = await inSmallerTiles({ values: tile.values.map((row) => row.subarray(half)) }, compute, join, from + half);
    return join(first, second);
  }
}
