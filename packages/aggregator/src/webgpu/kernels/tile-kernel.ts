/** A WGSL module with an entry point `main`. */
export interface TileKernel {
  /** Names the text: one text has one key. */
  readonly key: string;
  /** Writes the text, which may be long. */
  readonly text: () => string;
}

/** Runs in one row of a grid of workgroups; a grid may have 65,535 at most in each direction. */
export const runsInRow = 32_768;

/**
 * What every kernel begins with. Values are bits of float32, update after update; what they mean is up to the kernel, since
 * a device may change subnormal numbers as soon as they are floats.
 *
 * A workgroup combines one run, so that what belongs to a run is the same for all its lanes.
 *
 * @param cell - what values and results are arrays of: one element or four
 */
export function kernelHead(cell: "u32" | "vec4<u32>"): string {
  return `
struct Settings {
  updates: u32,
  runs: u32,
  words: array<u32>,
}
@group(0) @binding(0) var<storage, read> values: array<${cell}>;
@group(0) @binding(1) var<storage, read> settings: Settings;
@group(0) @binding(2) var<storage, read_write> results: array<${cell}>;

fn runOf(group: vec3<u32>) -> u32 {
  return group.y * ${runsInRow}u + group.x;
}
`;
}
