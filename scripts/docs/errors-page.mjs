/** The text of docs/errors.md, made from the error catalogue. */
export function errorsPage(catalogue, areaTitles) {
  const areas = new Map();
  for (const [code, row] of Object.entries(catalogue).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const area = code.split("/")[0];
    areas.set(area, [...(areas.get(area) ?? []), [code, row]]);
  }
  const missing = [...areas.keys()].filter((area) => areaTitles[area] === undefined);
  if (missing.length > 0) throw new Error(`scripts/docs/area-titles.mjs says nothing about the area ${missing.join(", ")}`);
  const sections = [...areas].map(
    ([area, rows]) => `## ${areaTitles[area]}\n\n${rows.map(([code, row]) => errorSection(code, row)).join("\n")}`,
  );
  return `${intro}\n${sections.join("\n")}`;
}

const intro = `<!-- Made by scripts/generate-docs.mjs from packages/contracts/src/errors/catalogue. Do not edit. -->

# Errors

Every error that FLARE-TS shows has a code, \`area/what\`, and here is each of them. The same code stands in the terminal, in the
JSON envelope (\`error_code\`), in the logs and on the wire.

Whose move it is: **user** is the person at the keyboard, **site** the operator of a site, **server** the operator of the server,
**bug** us. "May succeed later" means that the same call can work without anybody changing anything; the software itself tries
such calls again where it can.

Exit statuses of \`flare\`: 0 done, 1 error, 2 no connection or not let in, 3 timeout, 4 command line not understood, 5 fault of this
software; 130 and 143 when Ctrl-C or SIGTERM ended a command before it was done.
`;

function errorSection(code, row) {
  const later = row.isRetryable ? "may succeed later" : "does not go away by itself";
  return `### \`${code}\`

${row.means}

**What to do:** ${row.todo}

Move: ${row.whose} · ${later} · exit status ${row.exit} · gRPC ${row.grpc} · HTTP ${row.http}
`;
}
