import type { BenchResult } from "../result/result.ts";
export function resultPage(result: BenchResult): string { return JSON.stringify(result); }
