import { tfjsGpuFolderVariable } from "@flare-ts/aggregator";
import { type Command, Option } from "commander";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";
import type { SetupGpuOptions } from "./setup-gpu.js";

/** Adds `flare gpu …`. */
export function addGpuCommands(group: Command, bind: BindHandler): void {
  group
    .command("setup")
    .description("put TensorFlow.js for NVIDIA's GPUs in place, outside of your project, and try it")
    .addOption(
      new Option(
        "--tensorflow <dir>",
        "build against this TensorFlow, which pip installed: the folder tensorflow in site-packages",
      ).conflicts("stock"),
    )
    .option("--stock", "install the package as it is, with its download of TensorFlow 2.9 for CUDA 11.2 and cuDNN 8.1")
    .option("--folder <dir>", "where it goes (default: flare-ts/tfjs-gpu in $XDG_DATA_HOME or ~/.local/share)")
    .option("--allow-cpu", "be content with a TensorFlow that finds no GPU")
    .option("--dry-run", "print what would be done, and do nothing")
    .addHelpText(
      "after",
      `${examplesText([
        [
          "with the TensorFlow and CUDA 12 of pip",
          "flare gpu setup --tensorflow \"$(python3 -c 'import tensorflow; print(tensorflow.__path__[0])')\"",
        ],
        ["with the package's own TensorFlow, where CUDA 11.2 is installed", "flare gpu setup --stock"],
        ["what would be done", "flare gpu setup --stock --dry-run"],
      ])}
Everything is made in a folder beside the final one, which takes its name when it is complete; a run that fails or is stopped
leaves nothing. An earlier set-up is replaced. Programs find another folder than the usual one by ${tfjsGpuFolderVariable}.
GPUs of any maker work through WebGPU instead, with npm install webgpu alone; docs/gpu.md helps to choose.
`,
    )
    .action(
      bind(
        async () => (await import("./setup-gpu.js")).setupGpu,
        (_words, flags): SetupGpuOptions => ({
          tensorflow: flags["tensorflow"] as string | undefined,
          isStock: flags["stock"] === true,
          folder: flags["folder"] as string | undefined,
          isCpuAllowed: flags["allowCpu"] === true,
          isDryRun: flags["dryRun"] === true,
        }),
      ),
    );
}
