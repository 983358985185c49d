import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { tableLines } from "../../terminal/table.js";
import { type RecipeEntry, recipes } from "./recipe-catalogue.js";

/** What `flare recipe list` is given. */
export interface ListRecipesOptions {
  readonly framework: string | undefined;
  readonly algorithm: string | undefined;
}

/** Lists the recipes, or those of a framework or an algorithm. A recipe for every framework is among those of each. */
export async function listRecipes(_context: CommandContext, { framework, algorithm }: ListRecipesOptions): Promise<CommandOutput> {
  const chosen = recipes.filter(
    (recipe) =>
      (framework === undefined || recipe.framework === "any" || recipe.framework === framework) &&
      (algorithm === undefined || recipe.algorithm === algorithm),
  );
  return {
    data: chosen.map(recipeData),
    text: tableLines(
      [{ title: "RECIPE" }, { title: "FRAMEWORK" }, { title: "WORKFLOW" }, { title: "WHAT IT DOES" }],
      chosen.map(({ name, framework: of, workflow, summary }) => [name, of, workflow, summary]),
    ),
    hints: ["flare recipe show <name> says how one is used."],
  };
}

/** A recipe as it stands in the JSON envelope; keys are FLARE's. */
export function recipeData({ name, summary, framework, algorithm, workflow, module, className }: RecipeEntry) {
  return { name, description: summary, framework, algorithm, workflow, module, class: className };
}
