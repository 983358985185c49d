"""Whole jobs of the usual kinds, and what runs them, with the names and meanings of NVIDIA FLARE's recipes::

    from flare_client.recipe import NumpyFedAvgRecipe, SimEnv

    recipe = NumpyFedAvgRecipe(name="hello", model=[[1, 2], [3, 4]], min_clients=2, num_rounds=3, train_script="client.py")
    run = recipe.execute(SimEnv(num_clients=2))
    print(run.get_status(), run.get_result())

Importing this takes ``--export`` and ``--export-dir`` out of ``sys.argv``: :meth:`Recipe.execute` follows them.
"""

from ..flare_command import FlareCommandError
from ..job.errors import JobError
from .additions import add_experiment_tracking, add_secure_aggregation, set_per_site_config, set_recipe_meta
from .dh_psi import DhPSIRecipe
from .environment import ExecEnv
from .evaluation import FedEvalRecipe, NumpyCrossSiteEvalRecipe, add_cross_site_evaluation, add_final_global_evaluation
from .fedavg import FedAvgRecipe, FedProxRecipe, NumpyFedAvgRecipe, PTFedAvgRecipe
from .fedstats import FedStatsRecipe
from .poc_env import PocEnv
from .prod_env import ProdEnv
from .algorithms import CyclicRecipe, FedBuffRecipe, FedOptRecipe, PTCyclicRecipe, ScaffoldRecipe
from .run import Run
from .sim_env import SimEnv
from .spec import Recipe

__all__ = [
    "CyclicRecipe",
    "DhPSIRecipe",
    "ExecEnv",
    "FedAvgRecipe",
    "FedBuffRecipe",
    "FedEvalRecipe",
    "FedOptRecipe",
    "FedProxRecipe",
    "FedStatsRecipe",
    "FlareCommandError",
    "JobError",
    "NumpyCrossSiteEvalRecipe",
    "NumpyFedAvgRecipe",
    "PTCyclicRecipe",
    "PTFedAvgRecipe",
    "PocEnv",
    "ProdEnv",
    "Recipe",
    "Run",
    "ScaffoldRecipe",
    "SimEnv",
    "add_cross_site_evaluation",
    "add_experiment_tracking",
    "add_final_global_evaluation",
    "add_secure_aggregation",
    "set_per_site_config",
    "set_recipe_meta",
]
