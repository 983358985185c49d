/** A piece of HTML or SVG in which everything is escaped that has to be. */
export interface Markup {
  readonly markup: string;
}

/** What an element may hold: texts are escaped, pieces are not again; `undefined` is left out. */
export type Content = Markup | string | undefined | readonly Content[];

/** Elements of HTML that have no content and no end. */
const voidElements = new Set(["meta", "link", "br"]);

/** An element; attributes that are `undefined` are left out. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  ...content: readonly Content[]
): Markup {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeText(typeof value === "number" ? rounded(value) : String(value))}"`)
    .join("");
  if (voidElements.has(name)) return { markup: `<${name}${written}>` };
  return { markup: `<${name}${written}>${contentText(content)}</${name}>` };
}

/** Several pieces one after the other. */
export function fragment(...content: readonly Content[]): Markup {
  return { markup: contentText(content) };
}

/** Text of our own that is put in as it is, such as a style sheet. */
export function verbatim(text: string): Markup {
  return { markup: text };
}

function contentText(content: Content): string {
  if (content === undefined) return "";
  if (typeof content === "string") return escapeText(content);
  return "markup" in content ? content.markup : content.map(contentText).join("");
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Coordinates to a hundredth: finer than anybody sees. */
function rounded(value: number): string {
  return String(+value.toFixed(2));
}
