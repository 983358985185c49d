/**
 * The numbers that a chaos job's trainers make of a model, in float32: those of a step that depends on the model, the site and the round, and
 * on nothing else. The trainers have it in their own languages; this one is for checking them.
 */
export function trainedValues(model: Float32Array, site: string, round: number): Float32Array<ArrayBuffer> {
  let state = 7;
  for (const letter of `${site}/${round}`) state = (Math.imul(state, 31) + letter.charCodeAt(0)) | 0;
  return Float32Array.from(model, (value) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return 0.9 * value + state / 2 ** 33;
  });
}

/** Steps that a trainer says its update stands for. */
export function trainedSteps(site: string): number {
  return 10 + site.length;
}
