/** Colours of the picture by the codes that a terminal gets. */
const colors = { 31: "#f7768e", 32: "#9ece6a", 33: "#e0af68", 36: "#7dcfff" };
/** What a terminal gets to change its colours. */
const styleCode = new RegExp(`(${String.fromCharCode(27)}\\[\\d+m)`);
const columnWidth = 8.4;
const lineHeight = 19;
const margin = 18;

/** An SVG picture of what a terminal showed, colours included. It is text, so it stays sharp and can be searched. */
export function terminalPicture(lines, title) {
  const visible = lines.map((line) =>
    line
      .split(styleCode)
      .filter((part) => !styleCode.test(part))
      .join(""),
  );
  const width = Math.ceil(Math.max(...visible.map((line) => line.length)) * columnWidth + 2 * margin);
  const height = lines.length * lineHeight + 2 * margin + 22;
  const rows = lines.map((line, i) => `<text x="${margin}" y="${margin + 36 + i * lineHeight}">${spans(line)}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}">
<title>${escape(title)}</title>
<rect width="${width}" height="${height}" rx="8" fill="#16161e"/>
<circle cx="20" cy="18" r="5" fill="#f7768e"/><circle cx="38" cy="18" r="5" fill="#e0af68"/><circle cx="56" cy="18" r="5" fill="#9ece6a"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#c0caf5" style="white-space:pre">
${rows.join("\n")}
</g>
</svg>
`;
}

function spans(line) {
  let style = { isBold: false, isDim: false, color: undefined };
  return line
    .split(styleCode)
    .map((part) => {
      if (!styleCode.test(part)) return part === "" ? "" : span(part, style);
      style = changed(style, Number(part.slice(2, -1)));
      return "";
    })
    .join("");
}

function changed(style, code) {
  if (code === 0) return { isBold: false, isDim: false, color: undefined };
  if (code === 1) return { ...style, isBold: true };
  if (code === 2) return { ...style, isDim: true };
  if (code === 22) return { ...style, isBold: false, isDim: false };
  if (code === 39) return { ...style, color: undefined };
  return { ...style, color: colors[code] };
}

function span(text, { isBold, isDim, color }) {
  const attributes = [
    isBold ? ' font-weight="bold"' : "",
    isDim ? ' opacity="0.6"' : "",
    color === undefined ? "" : ` fill="${color}"`,
  ].join("");
  return attributes === "" ? escape(text) : `<tspan${attributes}>${escape(text)}</tspan>`;
}

function escape(text) {
  // Not every viewer knows white-space:pre, and all keep a no-break space.
  return text.replaceAll(" ", "\u00a0").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
