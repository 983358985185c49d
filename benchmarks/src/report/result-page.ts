import { sizeText } from "../result/number-text.ts";
import type { BenchResult } from "../result/result.ts";
import { errorSection } from "./error-section.ts";
import { machineSection } from "./machine-section.ts";
import { element, type Markup, verbatim } from "./markup.ts";
import { memorySection } from "./memory-section.ts";
import type { PageSection } from "./section.ts";
import { bandwidthSection, speedSection } from "./speed-sections.ts";
import { styles } from "./styles.ts";
import { summaryCards } from "./summary-cards.ts";
import { sweepSection } from "./sweep-section.ts";
import { tableSection } from "./table-section.ts";

/** A page about a result: one file that asks nobody for anything, for light and dark screens of any width. */
export function resultPage(result: BenchResult): string {
  const { environment, settings } = result;
  const [point] = result.points;
  if (point === undefined) throw new RangeError("a result has at least one size");
  const title = "Aggregation, measured";
  const sections = [
    speedSection(point),
    bandwidthSection(point),
    sweepSection(result),
    memorySection(result),
    errorSection(point),
    tableSection(result),
    machineSection(result),
  ].filter((section) => section !== undefined);
  const page = element(
    "html",
    { lang: "en" },
    element(
      "head",
      {},
      element("meta", { charset: "utf-8" }),
      element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
      element("meta", { name: "color-scheme", content: "light dark" }),
      // Nothing may be asked for, from anybody.
      element("meta", { "http-equiv": "Content-Security-Policy", content: "default-src 'none'; style-src 'unsafe-inline'; img-src data:" }),
      element("link", { rel: "icon", href: "data:," }),
      element("title", {}, `${title}: FLARE-TS ${environment.software}, ${environment.date.slice(0, 10)}`),
      element("style", {}, verbatim(styles)),
    ),
    element(
      "body",
      {},
      element("a", { href: "#main", class: "skip" }, "Skip to the figures"),
      element(
        "header",
        {},
        element("p", { class: "eyebrow" }, `FLARE-TS ${environment.software} · ${environment.date.slice(0, 10)}`),
        element("h1", {}, title),
        element("p", { class: "subject" }, `${settings.strategy} of ${sizeText(point)}, ${settings.dtype}`),
        element("p", { class: "subject muted" }, `${environment.cpu}, ${environment.cores} cores, Node ${environment.node}`),
        summaryCards(point),
        contents(sections),
      ),
      element(
        "main",
        { id: "main" },
        sections.map(({ markup }) => markup),
      ),
      element("footer", {}, "Made by npm run bench -- aggregate. Every sample is in the file of figures beside this page."),
    ),
  );
  return `<!doctype html>\n${page.markup}\n`;
}

function contents(sections: readonly PageSection[]): Markup {
  const items = sections.map(({ id, heading }) => element("li", {}, element("a", { href: `#${id}` }, heading)));
  return element("nav", { "aria-label": "Contents" }, element("ul", {}, items));
}
