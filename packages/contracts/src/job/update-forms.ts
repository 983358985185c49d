/** Forms that updates can travel in, by the names of FLARE's ModelQuantizer. */
export const updateForms = ["float16", "bfloat16", "blockwise8"] as const;

/** How an update is stored on the wire: half of its bytes, or a quarter with a scale for each block of elements. */
export type UpdateForm = (typeof updateForms)[number];
