import type { Command } from "commander";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";

/** Adds `flare doctor …`. */
export function addDoctorCommands(group: Command, bind: BindHandler): void {
  group
    .command("engines")
    .description("say which engines aggregate on this machine, on what, and why the others do not")
    .addHelpText(
      "after",
      `${examplesText([
        ["what runs here, and what to do to get the rest", "flare doctor engines"],
        ["for a script", "flare doctor engines --format json"],
      ])}
Engines on a GPU are tried by computing there, each in a process of its own. TensorFlow.js is looked for in the folder of
flare gpu setup, then in the working folder. docs/gpu.md says which engine to choose.
`,
    )
    .action(
      bind(
        async () => (await import("./doctor-engines.js")).doctorEngines,
        () => ({}),
      ),
    );
}
