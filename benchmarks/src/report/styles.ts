/** The page's style sheet. Series are drawn by class, so that one file of colours serves charts, cards and both themes. */
export const styles = `
:root {
  --ground: #f7f7f5; --sheet: #ffffff; --ink: #191c21; --soft: #5a616c; --rule: #dcdfe3; --grid: #e8eaed;
  --accent: #1f5fbf; --mark: #b3261e;
  --exact: #1f5fbf; --fast: #c8590a; --float64: #0f8073; --numpy: #878e99; --torch: #5b6270; --machine: #b3261e; --other: #6f4fb3;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #121418; --sheet: #1a1d23; --ink: #eceef1; --soft: #a3abb7; --rule: #343942; --grid: #292d35;
    --accent: #7fb0ff; --mark: #ff8a80;
    --exact: #6ea5ff; --fast: #f5944c; --float64: #46c2b2; --numpy: #858d99; --torch: #b3bac5; --machine: #ff8a80; --other: #b79bf2;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-behavior: smooth; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header, main, footer { max-width: 1040px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 56px; }
.eyebrow { margin: 0; color: var(--soft); font-size: 14px; letter-spacing: .02em; }
h1 { margin: 6px 0 10px; font-size: clamp(32px, 5vw, 46px); line-height: 1.1; letter-spacing: -.022em; font-weight: 680; }
.subject { margin: 0; font-size: 17px; }
.muted { color: var(--soft); }
.cards { list-style: none; display: grid; grid-template-columns: repeat(auto-fit, minmax(215px, 1fr)); gap: 14px; margin: 30px 0 0; padding: 0; }
.card { background: var(--sheet); border: 1px solid var(--rule); border-radius: 8px; padding: 14px 16px 15px; }
.card strong { display: block; font-size: 29px; line-height: 1.25; letter-spacing: -.015em; font-weight: 650; font-variant-numeric: tabular-nums; }
.card-name, .card-note { font-size: 14px; }
.card-name::before { content: ""; display: inline-block; width: 10px; height: 10px; margin-right: 8px; border-radius: 2px; background: var(--series, var(--soft)); }
.card-note { display: flex; flex-wrap: wrap; gap: 0 12px; color: var(--soft); margin-top: 3px; line-height: 1.5; }
.card.speed .card-note span { white-space: nowrap; }
nav { margin-top: 30px; border-top: 1px solid var(--rule); border-bottom: 1px solid var(--rule); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 0 22px; margin: 0; padding: 6px 0; }
nav a { display: inline-block; padding: 6px 0; font-size: 15px; }
a { color: var(--accent); text-underline-offset: 3px; text-decoration-thickness: 1px; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: 3px; }
.skip { position: absolute; left: -999px; top: 8px; padding: 8px 14px; background: var(--sheet); border-radius: 6px; z-index: 1; }
.skip:focus { left: 12px; }
section { padding-top: 46px; }
h2 { margin: 0 0 8px; font-size: 26px; line-height: 1.2; letter-spacing: -.014em; font-weight: 660; }
h3 { margin: 0 0 12px; font-size: 16px; font-weight: 640; }
.lead { margin: 0 0 22px; max-width: 84ch; color: var(--soft); }
figure { margin: 0 0 18px; padding: 20px 22px 18px; background: var(--sheet); border: 1px solid var(--rule); border-radius: 10px; min-width: 0; }
figcaption { margin-top: 10px; max-width: 88ch; color: var(--soft); font-size: 14px; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0 18px; }
.narrow { display: none; }
.chart { display: block; width: 100%; height: auto; font-size: 13px; overflow: visible; }
.chart text { fill: var(--ink); font-variant-numeric: tabular-nums; paint-order: stroke; stroke: var(--sheet); stroke-width: 4px; stroke-linejoin: round; }
.chart .tick, .chart .axis, .chart .note { fill: var(--soft); }
.chart .tick { font-size: 12px; }
.chart .group { font-weight: 640; }
.chart .value { font-weight: 640; }
.chart .mark { stroke: var(--mark); stroke-width: 1.5; stroke-dasharray: 5 4; }
.chart .mark-name { fill: var(--mark); font-size: 12px; }
.chart .grid { stroke: var(--grid); }
.chart .axis-line { stroke: var(--rule); }
.chart .whisker { stroke: var(--ink); stroke-opacity: .6; fill: none; }
.exact { --series: var(--exact); } .fast { --series: var(--fast); } .float64 { --series: var(--float64); } .numpy { --series: var(--numpy); }
.torch { --series: var(--torch); } .machine { --series: var(--machine); } .other { --series: var(--other); }
.chart .fill { fill: var(--series); }
.chart .stroke { fill: none; stroke: var(--series); stroke-width: 2; stroke-linejoin: round; }
.chart .machine .stroke { stroke-dasharray: 5 4; }
.chart .numpy .stroke, .chart .torch .stroke { stroke-width: 1.5; }
.chart .series .whisker { stroke: var(--series); stroke-opacity: .7; }
.chart .marker { fill: var(--series); stroke: var(--series); stroke-width: 1.5; }
.chart .leader { fill: none; stroke: var(--series); stroke-opacity: .45; }
.chart .line-name { font-size: 12.5px; }
.chart .stem { stroke: var(--series); stroke-width: 2; stroke-opacity: .45; }
.scroll { overflow-x: auto; margin: 0 0 18px; background: var(--sheet); border: 1px solid var(--rule); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: 14px 16px 8px; font-weight: 640; }
th, td { padding: 5px 9px; text-align: left; white-space: nowrap; border-top: 1px solid var(--grid); }
thead th { border-top: 0; border-bottom: 1px solid var(--rule); color: var(--soft); font-weight: 600; }
tr > :first-child { padding-left: 16px; }
tbody th { font-weight: 400; position: sticky; left: 0; background: var(--sheet); }
tbody tr:hover > * { background: var(--ground); }
.number { text-align: right; }
details { margin: 0 0 12px; }
summary { cursor: pointer; padding: 8px 0; font-weight: 600; }
dl { margin: 0; display: grid; gap: 0; background: var(--sheet); border: 1px solid var(--rule); border-radius: 10px; padding: 6px 18px; }
dl div { display: grid; grid-template-columns: 170px 1fr; gap: 2px 16px; padding: 8px 0; border-top: 1px solid var(--grid); }
dl div:first-child { border-top: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
pre { margin: 16px 0 0; padding: 14px 18px; overflow-x: auto; background: var(--sheet); border: 1px solid var(--rule); border-radius: 10px; font: 14px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
#machine h3 { margin: 24px 0 6px; }
footer { padding-top: 40px; padding-bottom: 56px; color: var(--soft); font-size: 14px; }
@media (max-width: 800px) {
  .pair { grid-template-columns: 1fr; }
  .wide { display: none; } .narrow { display: block; }
}
@media (max-width: 560px) {
  header, main, footer { padding-left: 16px; padding-right: 16px; }
  header { padding-top: 34px; }
  figure { padding: 16px 14px 14px; }
  dl div { grid-template-columns: 1fr; }
  caption { max-width: calc(100vw - 40px); }
  tbody th { white-space: normal; min-width: 148px; }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@media print { nav, .skip { display: none; } figure, .scroll { break-inside: avoid; } }
`;
