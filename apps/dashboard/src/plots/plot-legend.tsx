import { formatValue } from "../components/format.js";
import { colorOf, type PlotSeries } from "./curve-options.js";
import classes from "./line-plot.module.css";

export interface PlotLegendProps {
  readonly series: readonly PlotSeries[];
  readonly hidden: ReadonlySet<string>;
  readonly scheme: "light" | "dark";
  /** Of which x the values are shown; of the last that a curve has where it is `null`. */
  readonly index: number | null;
  readonly onToggle: (name: string) => void;
}

/** Names, colours and values of the curves; a press hides or shows one. */
export function PlotLegend({ series, hidden, scheme, index, onToggle }: PlotLegendProps) {
  return (
    // A list that scrolls can be reached by keyboard through its buttons.
    <ul className={classes["legend"]}>
      {series.map(({ name, values }, at) => (
        <li key={name}>
          <button type="button" className={classes["entry"]} aria-pressed={!hidden.has(name)} onClick={() => onToggle(name)}>
            <span className={classes["swatch"]} data-shape style={{ background: colorOf(series, at, scheme) }} />
            {name}
            <span className={classes["value"]}>
              {formatValue((index === null ? values.findLast((value) => value !== null) : values[index]) ?? null)}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
