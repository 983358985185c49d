import { type Content, element, type Markup } from "./markup.ts";

/** How the page draws something: by the colours and forms of `styles.ts`. */
export type Series = "exact" | "fast" | "float64" | "numpy" | "torch" | "machine" | "other";

/** Widths that each chart is drawn in: for screens with room, and for narrow ones. */
const chartWidths = { wide: 920, narrow: 420 } as const;

/** A chart in words, for those who do not see it. */
export interface ChartText {
  readonly id: string;
  readonly title: string;
  /** What it shows, with the figures that matter. */
  readonly description: string;
}

/** An image that says in words what it shows. */
export function chart(
  { id, title, description }: ChartText,
  size: { readonly width: number; readonly height: number },
  ...content: readonly Content[]
): Markup {
  return element(
    "svg",
    {
      viewBox: `0 0 ${size.width} ${size.height}`,
      role: "img",
      "aria-labelledby": `${id}-title ${id}-text`,
      class: "chart",
      style: `max-width:${size.width * 1.25}px`,
    },
    element("title", { id: `${id}-title` }, title),
    element("desc", { id: `${id}-text` }, description),
    ...content,
  );
}

/** A chart in both widths; the style sheet shows one of them. */
export function bothWidths(id: string, draw: (id: string, width: number) => Markup): Markup {
  return element(
    "div",
    {},
    ...(["wide", "narrow"] as const).map((name) => element("div", { class: name }, draw(`${id}-${name}`, chartWidths[name]))),
  );
}

/** A text in a chart; lengths are estimated, so nothing depends on them to the pixel. */
export function label(x: number, y: number, text: string, attributes: Readonly<Record<string, string | number | undefined>> = {}): Markup {
  return element("text", { x, y, ...attributes }, text);
}

/** About how wide a text is at the size that charts have. */
export function textWidth(text: string): number {
  return 7 * text.length;
}

/** Cuts a text into lines of about a width at most, at spaces. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && textWidth(`${last} ${word}`) <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
