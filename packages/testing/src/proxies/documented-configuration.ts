import { readFile } from "node:fs/promises";

const page = new URL("../../../../docs/networking.md", import.meta.url);

/**
 * A configuration as docs/networking.md shows it: the fenced block whose first line is `# <title>`, with what differs on this
 * machine replaced everywhere. So what the page shows is what the tests run.
 *
 * @throws TypeError when the page has no such block, or the block lacks a text that is to be replaced.
 */
export async function documentedConfiguration(title: string, replacements: Readonly<Record<string, string>>): Promise<string> {
  const block = blocksOf(await readFile(page, "utf8")).find((text) => text.startsWith(`# ${title}\n`));
  if (block === undefined) throw new TypeError(`docs/networking.md has no block '# ${title}'`);
  return Object.entries(replacements).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new TypeError(`the block '# ${title}' of docs/networking.md does not hold '${from}'`);
    return text.replaceAll(from, to);
  }, block);
}

/** Every fenced block of a page that is in a language. */
export function blocksOf(markdown: string, language = "\\w+"): string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map((match) => match[1] ?? "");
}
