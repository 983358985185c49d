import { useMemo } from "react";
import { formatValue } from "../../components/format.js";
import { ScrollFrame } from "../../components/scroll-frame.js";
import { type Evaluation, type EvaluationCell, ownerName } from "../../jobs/evaluation.js";
import classes from "./evaluation-table.module.css";

export interface EvaluationTableProps {
  readonly evaluation: Evaluation;
  readonly metric: string;
}

/** Most of a cell's ground that a value colours, in per cent: text on it keeps its contrast in both themes. */
const mostShare = 42;

const words: Readonly<Record<Exclude<EvaluationCell["state"], "answered">, string>> = {
  working: "working",
  failed: "failed",
  gone: "disconnected",
  missing: "no answer",
  waiting: "waits",
  "not-asked": "not asked",
};
const looks: Readonly<Partial<Record<EvaluationCell["state"], string | undefined>>> = {
  failed: classes["bad"],
  gone: classes["bad"],
  missing: classes["bad"],
};

/** A metric of every model at every site. The larger a value, the stronger its colour; the numbers say the same. */
export function EvaluationTable({ evaluation: { sites, rows }, metric }: EvaluationTableProps) {
  const shareOf = useMemo(() => {
    const values = rows.flatMap(({ cells }) => cells.flatMap(({ value }) => value ?? []));
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return (value: number): number => (most > least ? (mostShare * (value - least)) / (most - least) : 0);
  }, [rows]);
  const label = metric === "" ? "Models at sites" : `${metric} of each model at each site`;
  return (
    <ScrollFrame label={label}>
      <table className={classes["table"]}>
        <caption>{label}</caption>
        <thead>
          <tr>
            <th scope="col">Model</th>
            {sites.map((site) => (
              <th key={site} scope="col">
                {site}
              </th>
            ))}
            <th scope="col" className={classes["mean"]}>
              Mean
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ owner, cells, mean }) => (
            <tr key={owner}>
              <th scope="row" title={owner}>
                {ownerName(owner)}
              </th>
              {cells.map((cell) => (
                <Cell key={cell.site} cell={cell} shareOf={shareOf} />
              ))}
              <td className={classes["mean"]}>{formatValue(mean)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollFrame>
  );
}

function Cell({ cell: { state, value }, shareOf }: { readonly cell: EvaluationCell; readonly shareOf: (value: number) => number }) {
  if (state !== "answered") return <td className={looks[state] ?? classes["faint"]}>{words[state]}</td>;
  if (value === null) return <td className={classes["faint"]}>–</td>;
  return (
    <td className={classes["value"]} style={{ "--share": `${shareOf(value).toFixed(1)}%` } as React.CSSProperties}>
      {formatValue(value)}
    </td>
  );
}
