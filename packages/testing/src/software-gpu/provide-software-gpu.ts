import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { brotliDecompress } from "node:zlib";
import { readTar } from "./read-tar.js";

/** Whether there is a GPU in software; the reason is a sentence for a test that is skipped. */
export type SoftwareGpu = { readonly kind: "ready"; readonly folder: string } | { readonly kind: "missing"; readonly reason: string };

const loader = "libvulkan.so.1";
const manifest = "vk_swiftshader_icd.json";
const files = [loader, "libvk_swiftshader.so", manifest];
/** glibc's flag for a library that stays although it is closed. */
const neverUnload = 0x1000;

/**
 * Makes SwiftShader the Vulkan GPU of this process and of processes that it starts from now on: a driver that computes on
 * the CPU, out of the package `@sparticuz/chromium`. To be called before anything looks for a GPU, on the main thread: other
 * threads have an environment of their own that native code does not see.
 */
export async function provideSoftwareGpu(): Promise<SoftwareGpu> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return {
      kind: "missing",
      reason: `There is no software GPU for ${process.platform} on ${process.arch} in the package @sparticuz/chromium.`,
    };
  }
  const packageFolder = findPackage();
  if (packageFolder === undefined) return { kind: "missing", reason: "The package @sparticuz/chromium is not installed." };
  const folder = await unpack(packageFolder);
  const { env } = process;
  // Loaders know one of the two.
  env.VK_ICD_FILENAMES = join(folder, manifest);
  env.VK_DRIVER_FILES = join(folder, manifest);
  // Processes look for libraries where this said when they began; this process finds the one that it has loaded already.
  const others = (env.LD_LIBRARY_PATH ?? "").split(":").filter((each) => each !== "" && each !== folder);
  env.LD_LIBRARY_PATH = [folder, ...others].join(":");
  keepLoaded(join(folder, loader));
  return { kind: "ready", folder };
}

function findPackage(): string | undefined {
  const require = createRequire(import.meta.url);
  try {
    return dirname(dirname(require.resolve("@sparticuz/chromium")));
  } catch {
    return undefined;
  }
}

/** Unpacks the driver beside the package, once for each version. */
async function unpack(packageFolder: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(packageFolder, "package.json"), "utf8")) as { readonly version: string };
  const cache = join(packageFolder, "..", "..", ".cache", "flare-ts");
  const folder = join(cache, `swiftshader-${version}`);
  if (existsSync(folder)) return folder;
  const unpacked = readTar(await promisify(brotliDecompress)(await readFile(join(packageFolder, "bin", "swiftshader.tar.br"))));
  await mkdir(cache, { recursive: true });
  const begun = await mkdtemp(join(cache, "unpacking-"));
  for (const name of files) await writeFile(join(begun, name), unpacked.get(name) ?? "", { mode: 0o755 });
  try {
    await rename(begun, folder);
  } catch {
    // Another process was faster.
    await rm(begun, { recursive: true });
  }
  return folder;
}

function keepLoaded(library: string): void {
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_NOW | neverUnload);
  } catch {
    // Node says that this is no addon of its own, after it has loaded it.
  }
}
