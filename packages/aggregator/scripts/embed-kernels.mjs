// Compiles the kernels of assembly/ and embeds them in src/wasm/generated/kernels.ts: `npm run kernels` after a change to them.
// With --check it writes nothing and fails where the embedded ones are not what the sources compile to.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

const sources = fileURLToPath(new URL("../assembly/", import.meta.url));
const target = new URL("../src/wasm/generated/kernels.ts", import.meta.url);

const text = `// Made of assembly/ by \`npm run kernels\`; a test compares it with a fresh compilation.

/** The kernels with 128-bit vector instructions, in base64. */
export const simdKernels = "${await compileKernels("--enable")}";

/** The same without vector instructions. */
export const scalarKernels = "${await compileKernels("--disable")}";
`;

if (!process.argv.includes("--check")) await writeFile(target, text);
else if ((await readFile(target, "utf8")) !== text) throw new Error("The embedded kernels are out of date: run `npm run kernels`.");

/** Gives the compiled kernels in base64; they follow from the sources and the compiler's version alone. */
async function compileKernels(simd) {
  let compiled;
  const memory = ["--importMemory", "--sharedMemory", "--initialMemory", "1", "--maximumMemory", "65536", "--enable", "threads"];
  const { error } = await main(
    ["kernels.ts", "--outFile", "kernels.wasm", "-O3", "--noAssert", "--runtime", "stub", ...memory, simd, "simd", simd, "relaxed-simd"],
    {
      readFile: (name) => readFile(join(sources, name), "utf8").catch(() => null),
      writeFile: (name, contents) => {
        if (name === "kernels.wasm") compiled = contents;
      },
      listFiles: () => [],
      stderr: process.stderr,
    },
  );
  if (error !== null) throw new Error("The kernels do not compile.", { cause: error });
  return Buffer.from(compiled).toString("base64");
}
