import type { Command } from "commander";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";

/** Adds `flare recipe …`. */
export function addRecipeCommands(group: Command, bind: BindHandler): void {
  group.addHelpText(
    "after",
    `${examplesText([
      ["those for PyTorch", "flare recipe list --framework pytorch"],
      ["how one is used", "flare recipe show fedavg-pt"],
      ["a script that makes one", "flare-client run job.py"],
    ])}
A recipe is a whole job of a usual kind, written in a script in Python: clients/python/README.md has the rest.
`,
  );
  group
    .command("list")
    .description("list the recipes")
    .option("--framework <name>", "only those for numpy or pytorch")
    .option("--algorithm <name>", "only those of an algorithm, such as fedavg")
    .addHelpText("after", examplesText([["all of them", "flare recipe list"]]))
    .action(
      bind(
        async () => (await import("./list-recipes.js")).listRecipes,
        (_words, flags) => ({
          framework: flags["framework"] as string | undefined,
          algorithm: flags["algorithm"] as string | undefined,
        }),
      ),
    );
  group
    .command("show")
    .description("say how a recipe is used: where it is imported from, and its arguments")
    .argument("<name>", "the recipe's name, as list has it")
    .addHelpText("after", examplesText([["for a script", "flare recipe show fedavg-pt --format json"]]))
    .action(
      bind(
        async () => (await import("./show-recipe.js")).showRecipe,
        ([name = ""]) => ({ name }),
      ),
    );
}
