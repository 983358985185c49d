import { type Content, element, type Markup } from "./markup.ts";

/** A part of the page, which its heading names. */
export interface PageSection {
  readonly id: string;
  readonly heading: string;
  readonly markup: Markup;
}

/** Makes a part of the page; the lead says how to read what follows. */
export function section(id: string, heading: string, lead: string, ...content: readonly Content[]): PageSection {
  const markup = element(
    "section",
    { id, "aria-labelledby": `${id}-heading` },
    element("h2", { id: `${id}-heading` }, heading),
    lead === "" ? undefined : element("p", { class: "lead" }, lead),
    ...content,
  );
  return { id, heading, markup };
}

/** A chart with its heading, and what one has to know to read it. */
export function figureBlock(heading: string, content: Markup, note?: string): Markup {
  return element("figure", {}, element("h3", {}, heading), content, note === undefined ? undefined : element("figcaption", {}, note));
}
