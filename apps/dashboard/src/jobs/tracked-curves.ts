import type { MetricPoint } from "@flare-ts/dashboard-api/contract";
import type { MetricCurves } from "./metric-curves.js";

/** Most points of a curve that are drawn; more than that many pixels show nothing more. */
const mostPoints = 1200;

/**
 * The curves of what scripts tracked: a metric each, a curve per site, by the script's own step where it gives one and by the
 * order of the values where not.
 */
export function trackedCurves(points: readonly MetricPoint[]): readonly MetricCurves[] {
  const byKey = new Map<string, Map<string, { readonly x: number; readonly value: number }[]>>();
  for (const { key, site, step, value } of points) {
    const sites = byKey.get(key) ?? new Map<string, { readonly x: number; readonly value: number }[]>();
    byKey.set(key, sites);
    const values = sites.get(site) ?? [];
    sites.set(site, values);
    values.push({ x: step ?? values.length + 1, value });
  }
  return [...byKey].map(([metric, sites]) => {
    const thinned = new Map([...sites].map(([site, values]) => [site, new Map(thin(values).map(({ x, value }) => [x, value]))]));
    const x = [...new Set([...thinned.values()].flatMap((values) => [...values.keys()]))].sort((a, b) => a - b);
    return {
      metric,
      x,
      curves: [...thinned]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, values]) => ({ name, values: x.map((at) => values.get(at) ?? null) })),
    };
  });
}

/** Every n-th value and the last one. */
function thin<T>(values: readonly T[]): readonly T[] {
  const every = Math.ceil(values.length / mostPoints);
  return every <= 1 ? values : values.filter((_, index) => index % every === 0 || index === values.length - 1);
}
