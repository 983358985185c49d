import { setTimeout as sleep } from "node:timers/promises";

/** Looks every `everyMs` until a condition gives something that is neither `undefined` nor `false`, and gives that. @throws after `timeoutMs` */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs = 120_000,
  everyMs = 20,
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>;
    if (performance.now() > deadline) throw new Error(`did not happen within ${timeoutMs / 1000} s: ${what}`);
    await sleep(everyMs);
  }
}
