import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { recipeData } from "./list-recipes.js";
import { noneOf } from "./none-of.js";
import { recipes } from "./recipe-catalogue.js";

/**
 * Says how a recipe is used.
 *
 * @throws FlareError `cli/invalid-arguments` for a name that no recipe has
 */
export async function showRecipe(_context: CommandContext, { name }: { readonly name: string }): Promise<CommandOutput> {
  const recipe = recipes.find((one) => one.name === name.toLowerCase().replaceAll("_", "-"));
  if (recipe === undefined) {
    const names = recipes.map((one) => one.name);
    throw noneOf("There is no recipe", name, names);
  }
  const { required, optional, module, className, ownName, summary, workflow } = recipe;
  const parameters = [
    ...required.map((argument) => ({ name: argument, required: true })),
    ...optional.map((argument) => ({ name: argument, required: false })),
  ];
  return {
    data: { ...recipeData(recipe), own_module: "flare_client.recipe", own_class: ownName, parameters },
    text: [
      `${recipe.name}: ${summary}; the workflow ${workflow}`,
      `  from ${module} import ${className}`,
      `  from flare_client.recipe import ${ownName}    the same, without FLARE's names`,
      `required: ${required.length === 0 ? "nothing" : required.join(", ")}`,
      `optional: ${optional.join(", ")}`,
    ],
    hints: ["flare-client run job.py runs a script that makes one and calls execute(SimEnv(num_clients=2))."],
  };
}
