import { formatValue } from "../../components/format.js";
import { ScrollFrame } from "../../components/scroll-frame.js";
import type { StatisticsTable } from "../../jobs/statistics-table.js";
import classes from "./evaluation-table.module.css";
import { HistogramBars } from "./histogram-bars.js";

export interface StatisticsViewProps {
  readonly label: string;
  readonly table: StatisticsTable;
}

/** Features of a data set with what is known of them. */
export function StatisticsView({ label, table: { columns, hasHistograms, rows } }: StatisticsViewProps) {
  return (
    <ScrollFrame label={label}>
      <table className={classes["table"]}>
        <caption>{label}</caption>
        <thead>
          <tr>
            <th scope="col">Feature</th>
            {columns.map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
            {hasHistograms && <th scope="col">Histogram</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ feature, cells, bins }) => (
            <tr key={feature}>
              <th scope="row">{feature}</th>
              {cells.map((value, at) => (
                <td key={columns[at]} className={value === null ? classes["faint"] : undefined}>
                  {formatValue(value)}
                </td>
              ))}
              {hasHistograms && <td>{bins === null ? "–" : <HistogramBars bins={bins} />}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollFrame>
  );
}
