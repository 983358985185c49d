// Part of a package's build: bundles programs out of its `dist`, with what they import, into `dist/programs`, each by the same path.
//
//   node ../../scripts/bundle-programs.mjs job-process/site-job-main client/index
//
// A process that loads one file instead of hundreds starts in a third of the time, and keeps only what it uses in memory. Libraries are not
// bundled: who imports a package gets its modules, and the versions of its dependencies that npm has chosen.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { rolldown } from "rolldown";

/** Packages that are found at run time, where the user has put them, and one that grpc-js has for what nobody here asks of it. */
const notBundled = [/^node:/, /^webgpu$/, /^@tensorflow\//, /^pg-native$/, /^@grpc\/proto-loader$/];

const folder = process.cwd();
const target = join(folder, "dist", "programs");
const names = process.argv.slice(2);
const bundle = await rolldown({
  cwd: folder,
  input: Object.fromEntries(names.map((name) => [name, join(folder, "dist", `${name}.js`)])),
  platform: "node",
  external: notBundled,
  onLog(level, log, report) {
    // Libraries that test for a function by `eval` know what they do, and files of types alone are empty.
    if (log.code !== "EVAL" && log.code !== "EMPTY_IMPORT_META") report(level === "warn" ? "error" : level, log);
  },
});
const { output } = await bundle.generate({
  format: "esm",
  // Names of functions and classes stay, for whoever reads a stack; what only takes memory goes: V8 keeps the text.
  minify: { compress: false, mangle: { keepNames: { function: true, class: true } }, codegen: { removeWhitespace: true } },
  entryFileNames: "[name].js",
  chunkFileNames: "parts/[name]-[hash].js",
});
await bundle.close();
const fresh = `${target}.new`;
rmSync(fresh, { recursive: true, force: true });
for (const { fileName, code } of output) {
  const file = join(fresh, fileName);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, inAscii(code));
}
writeFileSync(join(fresh, "third-party-licenses.txt"), licenses(output));
rmSync(target, { recursive: true, force: true });
renameSync(fresh, target);

/** V8 keeps a text in which a single letter needs two bytes with two bytes for each. */
function inAscii(code) {
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** What the licenses of the bundled packages want to be said wherever they go. */
function licenses(chunks) {
  const modules = new Set(chunks.flatMap(({ moduleIds }) => moduleIds).filter((id) => id.includes("/node_modules/")));
  const packages = new Map([...modules].map(packageOf).map((found) => [`${found.name} ${found.version}`, found]));
  return [...packages]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([title, { license, text }]) => `${title} (${license})\n\n${text}\n`)
    .join("\n----------------------------------------\n\n");
}

/** The package that a module belongs to: the nearest folder whose package.json has a name and a version. */
function packageOf(module) {
  for (let place = dirname(module); place !== dirname(place); place = dirname(place)) {
    const manifest = join(place, "package.json");
    if (!existsSync(manifest)) continue;
    const { name, version, license } = JSON.parse(readFileSync(manifest, "utf8"));
    if (name === undefined || version === undefined) continue;
    const file = readdirSync(place).find((each) => /^(licen[cs]e|copying)/i.test(each));
    if (license === undefined && file === undefined) throw new Error(`${relative(folder, place)} has no license that could be passed on`);
    return {
      name,
      version,
      license: license ?? "see below",
      text: file === undefined ? "" : readFileSync(join(place, file), "utf8").trim(),
    };
  }
  throw new Error(`${module} belongs to no package`);
}
