/**
 * What the gate looks at in a page: its headings as anchors, its relative links, and its fenced blocks of commands with the
 * words after `sh`.
 */
export function readMarkdown(text) {
  const blocks = [];
  const links = [];
  const anchors = new Set();
  let fence;
  for (const [i, line] of text.split("\n").entries()) {
    const mark = /^(\s*)(`{3,}|~{3,})\s*(.*)$/.exec(line);
    if (fence !== undefined) {
      if (mark !== null && mark[2].startsWith(fence.mark) && mark[3] === "") {
        blocks.push({ language: fence.words[0] ?? "", words: fence.words.slice(1), line: fence.line, lines: fence.lines });
        fence = undefined;
      } else fence.lines.push(line);
      continue;
    }
    if (mark !== null) {
      fence = { mark: mark[2], words: mark[3].split(/\s+/).filter((word) => word !== ""), line: i + 1, lines: [] };
      continue;
    }
    const heading = /^#{1,6}\s+(.*)$/.exec(line);
    if (heading !== null) anchors.add(anchorOf(heading[1]));
    for (const match of line.replaceAll(/`[^`]*`/g, "").matchAll(/\[[^\]]*\]\(([^)\s]+)\)|<img[^>]+src="([^"]+)"/g)) {
      links.push({ target: match[1] ?? match[2], line: i + 1 });
    }
  }
  return { blocks, links, anchors };
}

/** The anchor of a heading, by GitHub's rule. */
function anchorOf(heading) {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");
}
