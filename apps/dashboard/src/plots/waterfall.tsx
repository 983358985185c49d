import { useElementSize } from "@mantine/hooks";
import { formatDuration } from "../components/format.js";
import type { SitePhases } from "../jobs/phase-track.js";
import type { RoundView } from "../jobs/round-view.js";
import classes from "./waterfall.module.css";
import { type WaterfallBar, waterfallRows } from "./waterfall-rows.js";

export interface WaterfallProps {
  /** One, or several that followed each other: their bars then lie one after the other. */
  readonly rounds: readonly [RoundView, ...RoundView[]];
  /** What sites were seen doing, by site; only of rounds that this page watched. Shown of those that have not told it with their answer. */
  readonly phases: SitePhases;
  readonly nowMs: number;
}

const rowHeight = 22;
const axisHeight = 22;

/** Rounds as bars over time: what each site did when, when it answered, and when the round closed. */
export function Waterfall({ rounds, phases, nowMs }: WaterfallProps) {
  const { ref, width } = useElementSize();
  const { rows, endMs } = waterfallRows(rounds, phases, nowMs);
  const [{ openedMs, number: first }] = rounds;
  const last = rounds.at(-1)?.number ?? first;
  const labelWidth = Math.min(150, Math.max(60, width * 0.24));
  const span = Math.max(1, endMs - openedMs);
  const x = (atMs: number): number => labelWidth + ((width - labelWidth - 56) * (atMs - openedMs)) / span;
  const height = rows.length * rowHeight + axisHeight;
  const label = `Waterfall of ${first === last ? `round ${first}` : `rounds ${first} to ${last}`}: ${rows.map(({ site, words }) => `${site} ${words}`).join("; ")}`;
  return (
    <div ref={ref} className={classes["frame"]}>
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label={label}>
          {ticks(span).map((ms) => (
            <g key={ms}>
              <line className={classes["grid"]} x1={x(openedMs + ms)} x2={x(openedMs + ms)} y1={0} y2={height - axisHeight + 4} />
              <text className={classes["tick"]} x={x(openedMs + ms)} y={height - 6} textAnchor="middle">
                {formatDuration(ms)}
              </text>
            </g>
          ))}
          {rows.map(({ site, bars, words }, row) => (
            <g key={row} transform={`translate(0 ${row * rowHeight})`}>
              <text className={classes["label"]} x={0} y={rowHeight / 2 + 4}>
                {shorten(site, labelWidth)}
                <title>{`${site}: ${words}`}</title>
              </text>
              {bars.map((bar) => (
                <rect
                  key={`${bar.kind}${bar.fromMs}`}
                  className={classes[bar.kind]}
                  x={x(bar.fromMs)}
                  y={5}
                  width={Math.max(2, x(bar.toMs) - x(bar.fromMs))}
                  height={rowHeight - 10}
                  rx={2}
                >
                  <title>{titleOf(bar)}</title>
                </rect>
              ))}
              <text className={classes["end"]} x={width} textAnchor="end" y={rowHeight / 2 + 4}>
                {formatDuration((bars.at(-1)?.toMs ?? openedMs) - (bars[0]?.fromMs ?? openedMs))}
              </text>
            </g>
          ))}
          {rounds.map(({ round, deadlineMs, closedMs }) => (
            <g key={round}>
              {deadlineMs !== null && (
                <line className={classes["deadline"]} x1={x(deadlineMs)} x2={x(deadlineMs)} y1={0} y2={height - axisHeight} />
              )}
              {closedMs !== null && (
                <line className={classes["closed"]} x1={x(closedMs)} x2={x(closedMs)} y1={0} y2={height - axisHeight} />
              )}
            </g>
          ))}
        </svg>
      )}
      <ul className={classes["key"]}>
        {(["working", "answered", "transfer", "waiting", "bad"] as const).map((kind) => (
          <li key={kind}>
            <span className={`${classes["swatch"]} ${classes[kind]}`} data-shape />
            {keyWords[kind]}
          </li>
        ))}
        <li>
          <span className={`${classes["swatch"]} ${classes["closedKey"]}`} data-shape />
          round closed
        </li>
      </ul>
    </div>
  );
}

const keyWords = {
  working: "working",
  answered: "worked, answered",
  transfer: "model or update on its way",
  waiting: "waiting",
  bad: "failed or gone",
};

function titleOf({ words, fromMs, toMs }: WaterfallBar): string {
  return `${words}: ${formatDuration(toMs - fromMs)}`;
}

function shorten(name: string, width: number): string {
  const most = Math.floor(width / 7.2);
  return name.length <= most ? name : `${name.slice(0, Math.max(1, most - 1))}…`;
}

/** Four to eight round steps over the span. */
function ticks(spanMs: number): readonly number[] {
  const steps = [100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000, 21_600_000, 86_400_000];
  const step = steps.find((ms) => spanMs / ms <= 6) ?? 864_000_000;
  return Array.from({ length: Math.floor(spanMs / step) + 1 }, (_, index) => index * step);
}
