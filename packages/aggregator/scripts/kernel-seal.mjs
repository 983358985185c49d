import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";

const inputs = ["../assembly/", "./"].map((folder) => new URL(folder, import.meta.url));

/**
 * A hash over the compiled kernels and all that they follow from: their sources, the script that compiles them, the compiler's version. It stands
 * beside the embedded kernels, so that it is seen at once when one of these has changed without the others.
 */
export async function kernelSeal({ simd, scalar }) {
  const hash = createHash("sha256");
  const compiler = JSON.parse(await readFile(new URL(import.meta.resolve("assemblyscript/package.json")), "utf8"));
  hash.update(JSON.stringify([compiler.version, simd, scalar]));
  for (const folder of inputs) {
    for (const name of (await readdir(folder)).filter((each) => /\.(ts|mjs)$/.test(each)).sort()) {
      hash.update(JSON.stringify([name, await readFile(new URL(name, folder), "utf8")]));
    }
  }
  return `sha256 of these, their sources and the compiler: ${hash.digest("hex")}`;
}
