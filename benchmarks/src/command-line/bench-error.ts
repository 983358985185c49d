/** Why a benchmark cannot go on, in a sentence for the person who started it: exit status 1, without a stack. */
export class BenchError extends Error {
  override readonly name = "BenchError";
}
