import { type Summary, summarize } from "../statistics.ts";

/** Runs once to warm up, then so many times, and gives milliseconds. */
export async function measureMs(runs: number, run: () => Promise<unknown>): Promise<Summary> {
  await run();
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return summarize(times);
}
