"""A federation in which each site adds 1 to every number of the model, as a recipe: which job it is, and where it runs."""

import argparse

from nvflare.app_common.np.recipes import NumpyFedAvgRecipe
from nvflare.recipe import SimEnv
from nvflare.recipe.utils import add_cross_site_evaluation


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()

    recipe = NumpyFedAvgRecipe(
        name="hello-recipe",
        model=[[1, 2, 3], [4, 5, 6], [7, 8, 9]],
        min_clients=arguments.clients,
        num_rounds=arguments.rounds,
        train_script="client.py",
        train_args="--step 1",
        key_metric="mean",
    )
    add_cross_site_evaluation(recipe)
    run = recipe.execute(SimEnv(num_clients=arguments.clients, workspace_root="simulation"))
    print("Status:", run.get_status())
    print("Result:", run.get_result())


if __name__ == "__main__":
    main()
