"""Federated statistics as a recipe: the job that it comes to, and how the object that computes at a site goes there."""

import importlib
import json
import os
import subprocess
import sys
import textwrap
import unittest

from flare_client.job import FedJob, HierarchicalStatisticsController, JobError, MinCountCleanser, StatisticsController, StatisticsExecutor, StatsJob
from flare_client.job.object_by_name import arguments_of
from flare_client.nvflare_jobs import JOB_MODULES
from flare_client.recipe import FedStatsRecipe, SimEnv, add_cross_site_evaluation
from flare_client.statistics import CsvStatistics, DataType
from flare_client.statistics.df_statistics import DFStatisticsCore
from job_folders import JobFolders, told

CONFIGS = {"count": {}, "histogram": {"*": {"bins": 20}, "Age": {"bins": 20, "range": (0, 100)}}}


def stats_recipe(**arguments):
    given = {
        "name": "stats",
        "stats_output_path": "statistics/adults.json",
        "sites": ["north", "south"],
        "statistic_configs": CONFIGS,
        "stats_generator": CsvStatistics(datasets=["patients"], delimiter=";"),
    }
    return FedStatsRecipe(**{**given, **arguments})


class Kept(DFStatisticsCore):
    """A class in the way of FLARE's examples, with what else a constructor does with its arguments."""

    def __init__(self, filename, root="/data", bins=10, kind=DataType.INT, level=0.5, **more):
        super().__init__(**more)
        self.filename = filename
        self._root = root
        self.kind = kind
        self.skipped = [bins]
        self.level = level


class Lost(DFStatisticsCore):
    def __init__(self, *names, table=None):
        super().__init__()
        self.columns = names
        self.table = table


class FederatedStatistics(JobFolders):
    def client(self, folder, site="north"):
        return self.json(folder, f"app_{site}", "config", "config_fed_client.json")

    def test_the_job_that_it_comes_to(self):
        folder = stats_recipe(min_count=15, min_noise_level=0.15, max_bins_percent=12.5).export("jobs")
        deploy_map = {"app_server": ["server"], "app_north": ["north"], "app_south": ["south"]}
        self.assertEqual(self.json(folder, "meta.json"), {"name": "stats", "deploy_map": deploy_map, "min_clients": 2})
        server = self.json(folder, "app_server", "config", "config_fed_server.json")
        histogram = {"*": {"bins": 20}, "Age": {"bins": 20, "range": [0, 100]}}
        arguments = {"statistic_configs": {"count": {}, "histogram": histogram}, "writer_id": "stats_writer", "enable_pre_run_task": False}
        self.assertEqual(server["workflows"], [{"id": "statistics", "path": "StatisticsController", "args": arguments}])
        writer = {"id": "stats_writer", "path": "JsonStatsFileWriter", "args": {"output_path": "statistics/adults.json"}}
        self.assertEqual(server["components"], [writer])
        client = self.client(folder)
        executor = {"path": "StatisticsExecutor", "args": {"generator_id": "stats_generator"}}
        self.assertEqual(client["executors"], [{"tasks": ["fed_stats"], "executor": executor}])
        cleansers = {
            "min_count_cleanser": ("MinCountCleanser", {"min_count": 15}),
            "min_max_noise_cleanser": ("AddNoiseToMinMax", {"min_noise_level": 0.15, "max_noise_level": 0.3}),
            "hist_bins_cleanser": ("HistogramBinsCleanser", {"max_bins_percent": 12.5}),
        }
        own_filter = {"path": "StatisticsPrivacyFilter", "args": {"result_cleanser_ids": list(cleansers)}}
        self.assertEqual(client["task_result_filters"], [{"tasks": ["fed_stats"], "filters": [own_filter]}])
        self.assertEqual(
            client["components"],
            [
                {"id": "stats_generator", "path": "CsvStatistics", "args": {"datasets": ["patients"], "delimiter": ";"}},
                *({"id": name, "path": path, "args": args} for name, (path, args) in cleansers.items()),
            ],
        )
        self.assertEqual(self.client(folder, "south"), client)
        # No model and no code.
        configs = [f"{app}/config/config_fed_client.json" for app in ("app_north", "app_south")]
        self.assertEqual(self.files(folder), sorted([*configs, "app_server/config/config_fed_server.json", "meta.json"]))

    def test_the_same_recipe_has_the_same_bytes(self):
        first = self.bytes_of(stats_recipe(stats_generator=Kept("a.csv")).export("jobs"))
        recipe = stats_recipe(stats_generator=Kept("a.csv"))
        self.assertEqual(self.bytes_of(recipe.export("jobs")), first)
        self.assertEqual(self.bytes_of(recipe.export("jobs")), first)
        self.assertIn("app_north/custom/test_fedstats.py", first)

    def test_arguments_are_found_by_attributes_and_else_as_they_were_given(self):
        for made, arguments in (
            (Kept("a.csv"), {"filename": "a.csv"}),
            (Kept("a.csv", "/own", level=0.5), {"filename": "a.csv", "root": "/own"}),
            # Nothing keeps the one, a base class the other, and a third was changed since.
            (Kept("a.csv", bins=4, max_bin=50), {"filename": "a.csv", "bins": 4, "max_bin": 50}),
            (Kept("a.csv", kind=DataType.FLOAT), {"filename": "a.csv", "kind": 1}),
            (CsvStatistics(), {}),
            (Lost(table={"a": [1, (2.5, None)], "b": True}), {"table": {"a": [1, [2.5, None]], "b": True}}),
        ):
            self.assertEqual(arguments_of(made), arguments)
        changed = Kept("a.csv")
        changed.filename = "b.csv"
        self.assertEqual(arguments_of(changed), {"filename": "b.csv"})

    def test_what_cannot_go_to_a_site_is_refused_where_the_recipe_is_made(self):
        class Local(DFStatisticsCore):
            pass

        for arguments, why in (
            ({"stats_generator": Kept}, "'stats_generator' is the class Kept: it must be an object of a class that derives from Statistics"),
            ({"stats_generator": {"path": "a.B"}}, "'stats_generator' is a dict"),
            ({"stats_generator": DFStatisticsCore()}, "a DFStatisticsCore by itself has no data"),
            ({"stats_generator": Local()}, "is defined inside of something else, where a site cannot import it"),
            ({"stats_generator": Lost("a")}, "Lost was made with '*names'"),
            ({"stats_generator": Kept(b"a.csv")}, "'filename' of Kept is a bytes, which the job's documents cannot hold"),
            ({"stats_generator": Lost(table={1: 2})}, "'table' of Lost is a dict, which"),
            ({"statistic_configs": ["count"]}, "'statistic_configs' is a list"),
            ({"sites": "north"}, "'sites' is a list of names"),
            ({"sites": []}, "with one at least"),
            ({"sites": ["north", "north"]}, "'sites' has 'north' twice"),
            ({"sites": ["a b"]}, "'a b' is no name of a site"),
            ({"min_counts": 3}, "FedStatsRecipe has no argument 'min_counts'; did you mean 'min_count'?"),
        ):
            with self.assertRaises(JobError) as caught:
                stats_recipe(**arguments)
            self.assertIn(why, str(caught.exception))
        with self.assertRaisesRegex(JobError, "FedStatsRecipe needs 'sites' and 'stats_generator'; 'site' may be meant for 'sites'"):
            FedStatsRecipe("stats", "statistics/a.json", site=["north"], statistic_configs=CONFIGS)
        recipe = FedStatsRecipe("stats", "statistics/a.json", ["north"], CONFIGS, CsvStatistics())
        with self.assertRaisesRegex(JobError, "has no arguments by site"):
            recipe.set_per_site_config({"north": {}})
        add_cross_site_evaluation(recipe)
        with self.assertRaisesRegex(JobError, "the job has no first model"):
            recipe.export("jobs")

    def test_a_job_may_be_put_together_from_its_parts(self):
        job = StatsJob("mine", CONFIGS, CsvStatistics(), "statistics/a.json")
        job.setup_clients(["north"])
        folder = job.export_job("jobs")
        self.assertEqual(self.client(folder)["components"][0], {"id": "stats_generator", "path": "CsvStatistics", "args": {}})
        job = FedJob("parts", min_clients=2)
        with told() as output:
            job.to_server(StatisticsController({"count": {}}, precision=2, result_wait_timeout=60))
            job.to_clients(StatisticsExecutor(job.to_clients(CsvStatistics()), precision=3), tasks=["fed_stats"])
        lines = output.getvalue().splitlines()
        self.assertTrue(lines[0].startswith("flare-client: 'result_wait_timeout' of StatisticsController has no effect here"))
        self.assertTrue(lines[1].startswith("flare-client: 'precision' of StatisticsExecutor has no effect here"))
        folder = job.export_job("jobs")
        self.assertEqual(self.workflow(folder)["args"], {"statistic_configs": {"count": {}}, "precision": 2})
        self.assertEqual(self.executor(folder), {"generator_id": "generator"})
        class Own(MinCountCleanser):
            pass

        with self.assertRaisesRegex(JobError, "Own is a class of your own: a job's filters and cleansers are those that are here"):
            job.to_clients(Own(5))
        with self.assertRaisesRegex(JobError, "a CsvStatistics is for sites"):
            job.to_server(CsvStatistics())

    def test_sites_may_be_in_levels(self):
        levels = {"countries": [{"Name": "a", "hospitals": ["north"]}, {"Name": "b", "hospitals": ["south"]}]}
        folder = stats_recipe(hierarchy_config=levels).export("jobs")
        workflow = self.json(folder, "app_server", "config", "config_fed_server.json")["workflows"][0]
        self.assertEqual((workflow["path"], workflow["args"]["hierarchy_config"]), ("HierarchicalStatisticsController", "hierarchy_config.json"))
        self.assertEqual(self.json(folder, "app_server", "config", "hierarchy_config.json"), levels)
        self.write("own/levels.json", json.dumps(levels))
        folder = stats_recipe(hierarchy_config="own/levels.json").export("jobs")
        self.assertEqual(self.json(folder, "app_server", "config", "levels.json"), levels)
        self.assertNotIn("app_server/config/hierarchy_config.json", self.files(folder))
        job = FedJob("levels")
        job.to_server(HierarchicalStatisticsController({"count": {}}, hierarchy_config=levels))
        job.to_clients(StatisticsExecutor(job.to_clients(CsvStatistics())), tasks=["fed_stats"])
        self.assertEqual(self.json(job.export_job("jobs"), "app", "config", "hierarchy_config.json"), levels)
        job.to_server(HierarchicalStatisticsController({"count": {}}, hierarchy_config={"all": ["north"]}))
        with self.assertRaisesRegex(JobError, "two workflows have a file 'hierarchy_config.json', with something else in it"):
            job.export_job("jobs")
        self.write("broken.json", "{")
        for path in ("broken.json", "nowhere.json"):
            with self.assertRaisesRegex(JobError, f"the hierarchy {path} cannot be read: "):
                stats_recipe(hierarchy_config=path)

    def test_a_simulation_offers_data_sets(self):
        self.assertEqual(SimEnv(num_clients=2, datasets={"patients": "{site}.csv"}).datasets, {"patients": "{site}.csv"})


class ScriptsForFlare(JobFolders):
    job = """
        from nvflare.recipe.fedstats import FedStatsRecipe
        from nvflare.recipe.sim_env import SimEnv
        {imports}

        if {guard}:
            recipe = FedStatsRecipe(
                name="stats",
                stats_output_path="statistics/adults.json",
                sites=["site-1"],
                statistic_configs={{"count": {{}}}},
                stats_generator=Adults("data.csv"),
            )
            recipe.execute(env=SimEnv(clients=["site-1"], num_threads=1))
    """
    generator = """
        from nvflare.apis.fl_context import FLContext
        from nvflare.app_opt.statistics.df.df_core_statistics import DFStatisticsCore

        from tables.names import COLUMNS


        class Adults(DFStatisticsCore):
            def __init__(self, filename):
                super().__init__()
                self.filename = filename
    """

    def export(self, imports, generator="client.py", guard="__name__ == '__main__'"):
        script = textwrap.dedent(self.job).format(imports=imports, guard=guard)
        if generator is None:
            script = textwrap.dedent(self.generator) + script
        else:
            self.write(generator, textwrap.dedent(self.generator))
        self.write("job.py", script)
        self.write("tables/names.py", "COLUMNS = []\n")
        words = [sys.executable, "-m", "flare_client", "run", "job.py", "--export", "--export-dir", "jobs"]
        return subprocess.run(words, capture_output=True, text=True, timeout=60)

    def test_all_names_of_jobs_are_there(self):
        for module, (ours, names) in JOB_MODULES.items():
            for name, own in names.items():
                self.assertTrue(hasattr(importlib.import_module(ours), own), f"{module}.{name}")

    def exported(self):
        app = os.path.join("jobs", "stats", "app_site-1")
        component = self.json(app, "config", "config_fed_client.json")["components"][0]
        return component["path"], self.files(os.path.join(app, "custom"))

    def test_the_class_goes_along_with_what_it_imports(self):
        ended = self.export("from client import Adults")
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertEqual(self.exported(), ("client.Adults", ["client.py", "tables/names.py"]))

    def test_the_class_may_be_in_a_package(self):
        self.write("own/__init__.py", "")
        ended = self.export("from own.adults import Adults", "own/adults.py")
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertEqual(self.exported(), ("own.adults.Adults", ["own/__init__.py", "own/adults.py", "tables/names.py"]))

    def test_the_class_may_be_in_the_script_itself_if_sites_can_import_it(self):
        ended = self.export("", None)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertEqual(self.exported(), ("job.Adults", ["job.py", "tables/names.py"]))
        ended = self.export("", None, "True")
        self.assertIn("the class Adults is in the script that makes the job, which sites would import and run", ended.stderr)
        self.assertEqual(ended.returncode, 1)


if __name__ == "__main__":
    unittest.main()
