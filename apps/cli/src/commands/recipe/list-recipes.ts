import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { tableLines } from "../../terminal/table.js";
import { noneOf } from "./none-of.js";
import { type RecipeEntry, recipes } from "./recipe-catalogue.js";

/** What `flare recipe list` is given. */
export interface ListRecipesOptions {
  readonly framework: string | undefined;
  readonly algorithm: string | undefined;
}

/**
 * Lists the recipes, or those of a framework or an algorithm. A recipe for every framework is among those of each.
 *
 * @throws FlareError `cli/invalid-arguments` for a framework or an algorithm that no recipe has
 */
export async function listRecipes(_context: CommandContext, { framework, algorithm }: ListRecipesOptions): Promise<CommandOutput> {
  checkKnown("framework", framework);
  checkKnown("algorithm", algorithm);
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

function checkKnown(what: "framework" | "algorithm", given: string | undefined): void {
  const known = [...new Set<string>(recipes.map((recipe) => recipe[what]))];
  if (given !== undefined && !known.includes(given)) throw noneOf(`No recipe is of the ${what}`, given, known);
}

/** A recipe as it stands in the JSON envelope; keys are FLARE's. */
export function recipeData({ name, summary, framework, algorithm, workflow, module, className }: RecipeEntry) {
  return { name, description: summary, framework, algorithm, workflow, module, class: className };
}
