import { formatValue } from "../../components/format.js";
import type { Bin } from "../../jobs/statistics-table.js";
import classes from "./histogram-bars.module.css";

const width = 120;
const height = 26;

/** A histogram as small bars; its words say where it begins and ends and where most values are. */
export function HistogramBars({ bins }: { readonly bins: readonly Bin[] }) {
  const counts = bins.map(([, , count]) => count);
  const most = Math.max(0, ...counts);
  const [low = 0] = bins[0] ?? [];
  const high = bins.at(-1)?.[1] ?? 0;
  const fullest = bins[counts.indexOf(most)];
  const where = fullest === undefined ? "" : `, most from ${formatValue(fullest[0])} to ${formatValue(fullest[1])}`;
  const step = width / Math.max(1, bins.length);
  return (
    <svg
      className={classes["bars"]}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`${formatValue(low)} to ${formatValue(high)}${where}`}
    >
      {bins.map(([from, to, count], at) => {
        const tall = most === 0 ? 0 : (count / most) * (height - 2);
        return (
          <rect
            key={from}
            data-shape
            x={at * step + step * 0.08}
            // What is there at all is seen.
            y={height - (count > 0 ? Math.max(1.5, tall) : 0)}
            width={step * 0.84}
            height={count > 0 ? Math.max(1.5, tall) : 0}
          >
            <title>{`${formatValue(from)} to ${formatValue(to)}: ${count}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}
