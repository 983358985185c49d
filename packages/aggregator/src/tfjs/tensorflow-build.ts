import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/** What the TensorFlow of an add-on was built for. */
export interface TensorFlowBuild {
  readonly version: string;
  readonly isCpuOnly: boolean;
  /** Version of CUDA that it wants; `unknown` where nothing says so. */
  readonly cuda: string;
  readonly cudnn: string;
  /** Folders of the CUDA libraries that pip put beside it. */
  readonly libraryFolders: readonly string[];
}

/**
 * Tells what the TensorFlow was built for that an add-on uses.
 *
 * @param libraries - folder of libtensorflow: `deps/lib` of the package, which is a link to TensorFlow's folder in Python's
 *   site-packages where `flare gpu setup --tensorflow` made it, or that folder itself
 */
export function readTensorFlowBuild(libraries: string, version: string): TensorFlowBuild {
  const info = join(libraries, "python", "platform", "build_info.py");
  // What the package downloads by itself is one build of 2022, which says nothing of its kind.
  if (!existsSync(info)) {
    const isStock = version.startsWith("2.9.");
    return { version, isCpuOnly: false, cuda: isStock ? "11.2" : "unknown", cudnn: isStock ? "8.1" : "unknown", libraryFolders: [] };
  }
  const text = readFileSync(info, "utf8");
  return {
    version,
    isCpuOnly: /'is_cuda_build',\s*False/.test(text),
    cuda: /'cuda_version',\s*'([^']+)'/.exec(text)?.[1] ?? "unknown",
    cudnn: /'cudnn_version',\s*'([^']+)'/.exec(text)?.[1] ?? "unknown",
    libraryFolders: nvidiaFolders(join(dirname(realpathSync(libraries)), "nvidia")),
  };
}

function nvidiaFolders(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .toSorted()
    .map((name) => join(folder, name, "lib"))
    .filter((path) => existsSync(path));
}
