/**
 * Every module that a source text names: imports, re-exports, dynamic imports, `require`, and types that are imported in
 * place. Type-only imports count. Comments do not. Each comes with its line and the text of its statement.
 */
export function readImports(text) {
  const code = withoutComments(text);
  const found = [];
  const patterns = [
    /\b(?:import|export)\s+(?:type\s+)?(?:[\w$*{}\s,]+?\s+from\s+)?(["'])([^"']+)\1/g,
    /\b(?:import|require)\s*\(\s*(["'`])([^"'`]+)\1/g,
  ];
  for (const pattern of patterns) {
    for (const match of code.matchAll(pattern)) found.push({ specifier: match[2], statement: match[0], line: lineAt(code, match.index) });
  }
  return found.sort((a, b) => a.line - b.line);
}

function lineAt(text, index) {
  let line = 1;
  for (let i = 0; i < index; i++) if (text[i] === "\n") line++;
  return line;
}

/** The text with comments blanked out, so that lines keep their numbers. Strings are left alone. */
function withoutComments(text) {
  const token = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(token, (match) => (match.startsWith("//") || match.startsWith("/*") ? match.replace(/[^\n]/g, " ") : match));
}
