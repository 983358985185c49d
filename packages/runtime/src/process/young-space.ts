/**
 * Room that V8 gives to young objects, in MiB for each half; on its own it takes 16. What comes in leaves so many of them behind that it soon
 * takes all (29 MB at a server with this made 12), while pieces of messages wait beside it to be found: they count little. With 1 MiB a
 * transfer takes five times the collections, which is a few percent of its processor time: a site has it, as a machine may have many.
 */
const halfMiB = { server: 4, oneOfMany: 1 } as const;

/** Options of Node for a daemon's process, before those that it was given: who sets the same one has the last word. */
export function daemonNodeOptions(kind: keyof typeof halfMiB, ...given: readonly (string | undefined)[]): string {
  return [`--max-semi-space-size=${halfMiB[kind]}`, ...given].filter((text) => text !== undefined && text !== "").join(" ");
}
