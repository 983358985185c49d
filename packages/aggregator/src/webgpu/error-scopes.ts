/** What a device said of work that it was given. */
export type Verdict =
  | { readonly kind: "done" }
  | { readonly kind: "no-memory" }
  /** It is lost, or takes the work to be wrong. */
  | { readonly kind: "refused"; readonly reason: string };

/** The last one pushed is the first one popped. */
const scopes = ["validation", "internal", "out-of-memory"] as const;

/**
 * Gives work to a device and waits for it. Errors of a device are no exceptions: they are asked for.
 *
 * @param work - what it asks of the device before it first waits is what is looked at
 */
export async function underErrorScopes(device: GPUDevice, work: () => Promise<unknown>): Promise<Verdict> {
  for (const scope of scopes) device.pushErrorScope(scope);
  const working = work();
  const popped = scopes.map(() => device.popErrorScope());
  const [worked, noMemory, ...others] = await Promise.allSettled([working, ...popped]);
  if (noMemory?.status === "fulfilled" && noMemory.value !== null) return { kind: "no-memory" };
  for (const outcome of [...others, noMemory]) {
    if (outcome?.status === "rejected") return { kind: "refused", reason: messageOf(outcome.reason) };
    if (outcome !== undefined && outcome.value !== null) return { kind: "refused", reason: firstLine(outcome.value.message) };
  }
  return worked.status === "fulfilled" ? { kind: "done" } : { kind: "refused", reason: messageOf(worked.reason) };
}

/** What Dawn says without what follows it, places in its own source. */
export function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? "";
}

function messageOf(reason: unknown): string {
  return firstLine(reason instanceof Error ? reason.message : String(reason));
}
