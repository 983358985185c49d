/** By this argument a server's job process learns how many threads its aggregation may have. */
export const engineThreadsFlag = "--engine-threads=";

/** What the arguments of a process say of it. */
export function engineThreadsOf(args: readonly string[]): number | undefined {
  const given = args.find((arg) => arg.startsWith(engineThreadsFlag));
  return given === undefined ? undefined : Number(given.slice(engineThreadsFlag.length));
}
