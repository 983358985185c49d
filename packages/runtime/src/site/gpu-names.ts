/**
 * Names of so many GPUs: those that CUDA_VISIBLE_DEVICES leaves to this process, or else their numbers. CUDA leaves those before the first
 * that it does not know.
 */
export function gpuNames(gpus: number, visible: string | undefined): readonly string[] {
  if (visible === undefined) return Array.from({ length: gpus }, (_, i) => String(i));
  const names = visible.split(",").map((name) => name.trim());
  const end = names.findIndex((name) => name === "" || name === "-1");
  return [...new Set(end < 0 ? names : names.slice(0, end))].slice(0, gpus);
}
