"""Recipes: which jobs they come to, and what is told of their arguments."""

import os
import signal
import subprocess
import sys
import textwrap
import unittest
from enum import Enum

import flare_client.job
import flare_client.recipe
import numpy as np
from flare_client.job import ClientAPIExecutor, JobError, JobMetaKey, ModelDequantizer, ModelQuantizer, PercentilePrivacy, ScriptRunner
from flare_client.job.component import IdleComponent
from flare_client.recipe import (
    CyclicRecipe,
    FedAvgRecipe,
    FedBuffRecipe,
    FedOptRecipe,
    FedProxRecipe,
    NumpyCrossSiteEvalRecipe,
    NumpyFedAvgRecipe,
    ScaffoldRecipe,
    SimEnv,
    add_cross_site_evaluation,
    add_experiment_tracking,
    add_final_global_evaluation,
    add_secure_aggregation,
    set_per_site_config,
    set_recipe_meta,
)
from flare_client.recipe.export_flags import take_export_flags
from job_folders import JobFolders, told

MODEL = {"w": np.zeros(2, np.float32)}
FIRST = {"initial_model": "initial_model.safetensors"}


def numpy_recipe(**arguments):
    return NumpyFedAvgRecipe(**{"model": [[1, 2], [3, 4]], "min_clients": 2, "train_script": "client.py", **arguments})


class Recipes(JobFolders):
    def exported(self, recipe):
        return recipe.export("jobs")

    def test_fedavg_of_numpy(self):
        recipe = numpy_recipe(name="hello", num_rounds=3, train_args="--lr 0.1", params_transfer_type="DIFF", aggregation_weights={"site-1": 2.0})
        folder = self.exported(recipe)
        self.assertEqual(self.json(folder, "meta.json"), {"name": "hello", "deploy_map": {"app": ["@ALL"]}, "min_clients": 2})
        arguments = {"num_clients": 2, "num_rounds": 3, "aggregation_weights": {"site-1": 2.0}, "key_metric": "accuracy", **FIRST}
        self.assertEqual(self.workflow(folder), {"id": "controller", "path": "FedAvg", "args": arguments})
        self.assertEqual(
            self.executor(folder),
            {"task_script_path": "client.py", "task_script_args": ["--lr", "0.1"], "params_transfer_type": "DIFF"},
        )
        self.assertEqual(self.model(folder), {"numpy_key": ("F32", (2, 2))})

    def test_the_same_recipe_has_the_same_bytes(self):
        recipe = numpy_recipe()
        first = self.bytes_of(self.exported(recipe))
        self.assertEqual(self.bytes_of(self.exported(recipe)), first)
        self.assertEqual(self.bytes_of(self.exported(numpy_recipe())), first)

    def test_whether_a_metric_is_best_large_or_small_follows_from_the_condition_to_stop(self):
        for arguments, is_negated in (
            ({"key_metric": "loss", "stop_cond": "loss <= 0.1"}, True),
            ({"key_metric": "loss", "stop_cond": "accuracy >= 0.9"}, False),
            ({"key_metric": "loss", "key_metric_mode": "min"}, True),
        ):
            written = self.workflow(self.exported(numpy_recipe(**arguments)))["args"]
            self.assertEqual(written.get("negate_key_metric", False), is_negated)
        with self.assertRaisesRegex(JobError, "'key_metric_mode' is 'max', and by 'loss < 1' the other is best"):
            numpy_recipe(key_metric="loss", key_metric_mode="max", stop_cond="loss < 1")

    def test_other_algorithms(self):
        common = {"model": MODEL, "min_clients": 2, "num_rounds": 4, "train_script": "client.py"}
        sgd = {"path": "torch.optim.SGD", "args": {"lr": 1.0, "momentum": 0.6}}
        momentum = {"strategy": "fed-avg-m", "strategy_args": {"learningRate": 1.0, "momentum": 0.6}}
        for recipe, path, arguments in (
            (FedOptRecipe(**common, optimizer_args=sgd), "FedAvg", {"min_clients": 2, "num_rounds": 4, **momentum}),
            (FedProxRecipe(**common), "FedAvg", {"num_clients": 2, "num_rounds": 4, "fedprox_mu": 0.01, "key_metric": "accuracy"}),
            (
                FedBuffRecipe(**common, num_updates_for_model=1, max_staleness=3),
                "FedBuff",
                {"num_rounds": 4, "num_updates_for_model": 1, "max_staleness": 3},
            ),
            (ScaffoldRecipe(**common), "Scaffold", {"num_clients": 2, "num_rounds": 4}),
            (CyclicRecipe(**common, server_config_overrides={"order": "RANDOM"}), "Cyclic", {"num_rounds": 4, "order": "RANDOM"}),
        ):
            workflow = self.workflow(self.exported(recipe))
            self.assertEqual((workflow["path"], workflow["args"]), (path, {**arguments, **FIRST}))

    def test_an_evaluation_comes_after_the_training_and_once(self):
        recipe = numpy_recipe()
        add_cross_site_evaluation(recipe, submit_model_timeout=30, participating_clients=["site-1"])
        arguments = {"submit_model_timeout": 30, "participating_clients": ["site-1"]}
        self.assertEqual(
            self.workflow(self.exported(recipe), 1), {"id": "cross_site_eval", "path": "CrossSiteModelEval", "args": arguments}
        )
        with self.assertRaisesRegex(JobError, "has an evaluation already"):
            add_final_global_evaluation(recipe)
        recipe = FedAvgRecipe(model=MODEL, min_clients=1, train_script="client.py")
        add_final_global_evaluation(recipe)
        self.assertEqual(self.workflow(self.exported(recipe), 1), {"id": "cross_site_eval", "path": "GlobalModelEval", "args": {}})

    def test_a_model_of_a_folder_is_evaluated_without_training(self):
        np.save("first.npy", np.zeros(2, np.float32))
        recipe = NumpyCrossSiteEvalRecipe(eval_script="client.py", model_dir=".", model_name={"first": "first.npy"})
        folder = self.exported(recipe)
        self.assertEqual(self.workflow(folder), {"id": "cross_site_eval", "path": "CrossSiteModelEval", "args": FIRST})
        tasks = self.json(folder, "app", "config", "config_fed_client.json")["executors"][0]["tasks"]
        self.assertEqual(tasks, ["validate", "submit_model"])
        for arguments, why in (
            ({}, "needs 'eval_script'"),
            ({"eval_script": "client.py", "model_name": {"a": "a.npy", "b": "b.npy"}}, "'model_name' names 2 models"),
        ):
            with self.assertRaisesRegex(JobError, why):
                NumpyCrossSiteEvalRecipe(**arguments)

    def test_sites_may_have_arguments_and_files_of_their_own(self):
        self.write("north.py", "import table\n")
        self.write("table.py", "")
        self.write("notes.txt", "")
        recipe = numpy_recipe(train_args="--lr 0.1")
        set_per_site_config(recipe, {"north": {"train_script": "north.py"}, "south": {"train_args": "--lr 0.2", "command": None}})
        self.assertEqual(recipe.configured_sites(), ["north", "south"])
        recipe.add_client_file("notes.txt", clients=["south"])
        folder = self.exported(recipe)
        self.assertEqual(self.executor(folder, "app_north"), {"task_script_path": "north.py", "task_script_args": ["--lr", "0.1"]})
        self.assertEqual(self.executor(folder, "app_south"), {"task_script_path": "client.py", "task_script_args": ["--lr", "0.2"]})
        self.assertEqual(self.files(os.path.join(folder, "app_north", "custom")), ["north.py", "table.py"])
        self.assertEqual(self.files(os.path.join(folder, "app_south", "custom")), ["client.py", "notes.txt"])
        for config, why in (
            ({"north": {"train_arg": ""}}, "'train_arg'; did you mean 'train_args'?"),
            ({"north": {}}, "names 1 sites, and min_clients is 2"),
            ({"server": {}}, "'server' is no name of a site"),
            ({}, "names no site"),
        ):
            with self.assertRaises(JobError) as caught:
                set_per_site_config(numpy_recipe(), config)
            self.assertIn(why, str(caught.exception))
        with self.assertRaisesRegex(JobError, "east is no site of the job; north, south are"):
            recipe.add_client_config({"a": 1}, clients=["east"])
        with self.assertRaisesRegex(JobError, "the job goes to all sites alike"):
            numpy_recipe().add_client_file("notes.txt", clients=["north"])

    def test_filters_settings_and_meta_data_are_added(self):
        recipe = numpy_recipe()
        recipe.add_client_output_filter(PercentilePrivacy(percentile=20), tasks=["train"])
        recipe.add_server_input_filter(ModelDequantizer())
        recipe.add_client_config({"task_check_interval": 3})
        set_recipe_meta(recipe, JobMetaKey.SCOPE, "public")
        folder = recipe.export("jobs", server_exec_params={"server": {}}, client_exec_params={"get_task_timeout": 9})
        client = self.json(folder, "app", "config", "config_fed_client.json")
        self.assertEqual((client["task_check_interval"], client["get_task_timeout"]), (3, 9))
        self.assertEqual(client["task_result_filters"][0]["tasks"], ["train"])
        self.assertEqual(self.json(folder, "meta.json")["scope"], "public")
        again = self.json(recipe.export("jobs"), "app", "config", "config_fed_client.json")
        self.assertNotIn("get_task_timeout", again)
        with self.assertRaisesRegex(JobError, "the server has no filters"):
            recipe.add_server_output_filter(ModelQuantizer())
        with self.assertRaisesRegex(JobError, "'launcher_spec' is not here"):
            set_recipe_meta(recipe, JobMetaKey.JOB_LAUNCHER_SPEC, {})
        with self.assertRaisesRegex(JobError, "'scop' is no key that a recipe sets; did you mean 'scope'?"):
            set_recipe_meta(recipe, "scop", "public")

    def test_updates_are_masked_where_the_server_reads_none_by_itself(self):
        recipe = numpy_recipe(min_clients=3)
        add_secure_aggregation(recipe, max_weight=500)
        meta = self.json(self.exported(recipe), "meta.json")
        self.assertEqual((meta["min_clients"], meta["secure_aggregation"]), (3, {"min_sites": 3, "max_weight": 500}))
        for given, arguments, why in (
            (numpy_recipe(), {}, "'min_clients' is 2, and sums are of 3 sites or more"),
            (numpy_recipe(), {"min_sites": 1}, "'min_sites' is 1; it is a whole number from 2 on"),
            (numpy_recipe(), {"min_sites": "3"}, "'min_sites' is '3'"),
            (numpy_recipe(), {"min_sites": 2, "max_weight": 0}, "'max_weight' is 0; it is a number above 0"),
            (FedBuffRecipe(model=MODEL, min_clients=3, train_script="client.py"), {}, "this job has FedBuff: its server reads single updates"),
        ):
            with self.assertRaises(JobError) as caught:
                add_secure_aggregation(given, **arguments)
            self.assertIn(why, str(caught.exception))

    def test_arguments_are_used_told_or_refused(self):
        with told() as output:
            recipe = numpy_recipe(server_expected_format="pytorch", save_filename="best.pt")
            add_experiment_tracking(recipe, "tensorboard")
            recipe.enable_log_streaming()
        lines = output.getvalue().splitlines()
        for line, what in zip(lines, ("'save_filename' of NumpyFedAvgRecipe", "'server_expected_format' of ScriptRunner", "add_exp", "enable_log")):
            self.assertTrue(line.startswith(f"flare-client: {what}"), line)
        self.assertEqual(len(lines), 4)
        for arguments, why in (
            ({"num_round": 2}, "NumpyFedAvgRecipe has no argument 'num_round'; did you mean 'num_rounds'?"),
            ({"aggregator": object()}, "'aggregator' is not here: no code of a job runs at the server"),
            ({"model_persistor": object()}, "'model_persistor' can be a PTFileModelPersistor or an NPModelPersistor"),
            ({"model": None}, "a job begins with a model: give 'model' or 'initial_ckpt'"),
            ({"command": "bash run.sh", "launch_external_process": True}, "neither a Python with its options nor a launcher"),
        ):
            with self.assertRaises(JobError) as caught:
                numpy_recipe(**arguments)
            self.assertIn(why, str(caught.exception))
        with self.assertRaisesRegex(JobError, "'tensorbord' is no kind of tracking; did you mean 'tensorboard'?"):
            add_experiment_tracking(recipe, "tensorbord")
        with self.assertRaisesRegex(JobError, "NumpyFedAvgRecipe needs 'min_clients' and 'train_script'; 'train_scrpt' may be meant for 'train_script'"):
            NumpyFedAvgRecipe(model=[1.0], train_scrpt="client.py")

    def test_what_is_added_to_a_recipe_is_called_by_its_arguments(self):
        recipe = numpy_recipe(min_clients=3)
        for call, why in (
            (lambda: add_secure_aggregation(recipe, min_site=3), "add_secure_aggregation has no argument 'min_site'; did you mean 'min_sites'?"),
            (
                lambda: add_experiment_tracking(recipe, tracking_typ="mlflow"),
                "add_experiment_tracking has no argument 'tracking_typ'; did you mean 'tracking_type'?",
            ),
            (lambda: add_final_global_evaluation(recipe, timeout=3), "add_final_global_evaluation has no argument 'timeout'; there are participating_clients, recipe"),
            (lambda: recipe.add_client_file(path="notes.txt"), "add_client_file has no argument 'path'; did you mean 'file_path'?"),
            (lambda: recipe.execute(SimEnv(num_client=2)), "SimEnv has no argument 'num_client'; did you mean 'num_clients'?"),
            (lambda: ScriptRunner(scrpt="client.py"), "ScriptRunner needs 'script'; 'scrpt' may be meant for 'script'"),
            (lambda: add_experiment_tracking(recipe), "add_experiment_tracking needs 'tracking_type'"),
            (lambda: set_recipe_meta(), "set_recipe_meta needs 'recipe' and 'key' and 'value'"),
            (lambda: add_cross_site_evaluation(recipe, 1, 2, [], 3), "add_cross_site_evaluation: too many positional arguments"),
            (lambda: add_cross_site_evaluation(recipe, recipe=recipe), "add_cross_site_evaluation: multiple values for argument 'recipe'"),
        ):
            with self.assertRaises(JobError) as caught:
                call()
            self.assertIn(why, str(caught.exception))
        # An error of what is called stays what it is.
        with self.assertRaises(TypeError):
            recipe.add_client_config(3)

    def test_no_class_or_function_of_jobs_answers_an_unknown_argument_in_pythons_words(self):
        not_made = {"DataKind", "ExecEnv", "FilterType", "FlareCommandError", "JobError", "Recipe", "Run"}
        for room in (flare_client.job, flare_client.recipe):
            for name in sorted(set(room.__all__) - not_made):
                one = getattr(room, name)
                # What does nothing here takes anything.
                if not callable(one) or (isinstance(one, type) and issubclass(one, (Enum, IdleComponent))):
                    continue
                with self.subTest(name), self.assertRaises(JobError):
                    one(stranger=1)

    def test_an_executor_may_stand_in_place_of_a_script_that_sites_start(self):
        class Attached(NumpyFedAvgRecipe):
            def _create_client_runner(self, site_config):
                return ClientAPIExecutor(execution_mode="attach", attach_id="mri", params_transfer_type="FULL", heartbeat_timeout=60.0)

        with told() as output:
            folder = Attached(model=[1.0], min_clients=1, train_script="client.py").export("jobs")
        self.assertIn("'heartbeat_timeout' of ClientAPIExecutor has no effect here", output.getvalue())
        self.assertEqual(self.executor(folder), {"execution_mode": "attach", "attach_id": "mri", "params_transfer_type": "FULL"})
        self.assertFalse(os.path.exists(os.path.join(folder, "app", "custom")))
        in_process = ClientAPIExecutor("in_process", task_script_path="client.py", stall_timeout=9)
        self.assertEqual(in_process.executor("")["args"], {"task_script_path": "client.py", "stall_timeout": 9})

    def test_flags_of_an_export_are_taken_out_of_the_scripts_own(self):
        for words, folder, rest in (
            (["--export", "--lr", "1"], "./fl_job", ["--lr", "1"]),
            (["--export-dir", "out", "--export"], "out", []),
            (["--export-dir=out", "--export", "x"], "out", ["x"]),
            (["--lr", "1"], None, ["--lr", "1"]),
            (["--export", "--export-dir"], None, ["--export", "--export-dir"]),
        ):
            argv = ["job.py", *words]
            self.assertEqual((take_export_flags(argv), argv[1:]), (folder, rest))
        with told() as output:
            self.assertEqual(take_export_flags(["job.py", "--export-dir", "out"]), None)
        self.assertIn("--export-dir has no effect here", output.getvalue())


class ScriptsForFlare(JobFolders):
    def run_script(self, text, *arguments):
        self.write("job.py", textwrap.dedent(text))
        return subprocess.run([sys.executable, "-m", "flare_client", "run", *arguments], capture_output=True, text=True, timeout=60)

    def test_its_names_are_answered_and_its_flags_followed(self):
        text = """
            import argparse
            from nvflare import FedJob, FilterType
            from nvflare.apis.dxo import DataKind, MetaKey
            from nvflare.apis.job_def import JobMetaKey
            from nvflare.app_common.np.recipes.fedavg import NumpyFedAvgRecipe
            from nvflare.app_common.workflows.cross_site_model_eval import CrossSiteModelEval
            from nvflare.app_opt.pt.recipes import CyclicRecipe, FedAvgRecipe, FedOptRecipe, ScaffoldRecipe
            from nvflare.client.config import ExchangeFormat, TransferType
            from nvflare.job_config.script_runner import FrameworkType, ScriptRunner
            from nvflare.recipe import SimEnv, add_experiment_tracking
            from nvflare.recipe.utils import add_cross_site_evaluation

            parser = argparse.ArgumentParser()
            parser.add_argument("--rounds", type=int)
            rounds = parser.parse_args().rounds
            recipe = NumpyFedAvgRecipe(name="mine", model=[1.0], min_clients=2, num_rounds=rounds, train_script="client.py")
            recipe.execute(SimEnv(num_clients=2))
            raise AssertionError("an export ends the script")
        """
        ended = self.run_script(text, "job.py", "--export", "--rounds", "7", "--export-dir", "out")
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertEqual(ended.stdout, f"Job exported to: {self.folder}/out/mine\n")
        self.assertEqual(self.workflow(os.path.join("out", "mine"))["args"]["num_rounds"], 7)

    def test_an_error_of_the_jobs_definition_is_one_line_unless_more_is_asked_for(self):
        text = """
            from nvflare.recipe import FedAvgRecipe
            FedAvgRecipe(min_clients=2, train_script="client.py", num_round=2)
        """
        ended = self.run_script(text, "job.py")
        self.assertEqual(ended.returncode, 1)
        self.assertEqual(ended.stderr, "flare-client: job.py:3: FedAvgRecipe has no argument 'num_round'; did you mean 'num_rounds'?\n")
        self.assertIn("Traceback", self.run_script(text, "--traceback", "job.py").stderr)
        self.assertIn("Traceback", self.run_script("raise ValueError('mine')", "job.py").stderr)

    def test_a_wrong_call_of_what_adds_to_a_recipe_is_one_line_too(self):
        text = """
            from nvflare.recipe import FedAvgRecipe, add_cross_site_evaluation
            recipe = FedAvgRecipe(model={"w": [1.0]}, min_clients=2, train_script="client.py")
            add_cross_site_evaluation(recipe, validation_timout=3)
        """
        ended = self.run_script(text, "job.py")
        why = "add_cross_site_evaluation has no argument 'validation_timout'; did you mean 'validation_timeout'?"
        self.assertEqual((ended.returncode, ended.stderr), (1, f"flare-client: job.py:4: {why}\n"))

    def test_what_is_interrupted_says_so_in_a_line(self):
        self.write("job.py", "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n")
        for flags, said in (((), "flare-client: interrupted\n"), (("--traceback",), "KeyboardInterrupt\n")):
            command = [sys.executable, "-m", "flare_client", "run", *flags, "job.py"]
            ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
            self.assertEqual(ended.stderr[-len(said) :], said)
            self.assertEqual("Traceback" in ended.stderr, bool(flags))
            self.assertIn(ended.returncode, (-signal.SIGINT, 130) if flags else (130,))

    def test_what_is_not_there_is_named(self):
        ended = self.run_script("from nvflare.app_opt.pt.recipes import SwarmLearningRecipe", "job.py")
        self.assertRegex(
            ended.stderr, r"^flare-client: job.py:1: cannot import name 'SwarmLearningRecipe' from 'nvflare.app_opt.pt.recipes' .*\n$"
        )
        ended = self.run_script("import nvflare.edge", "job.py")
        self.assertIn("nvflare.edge is a module of NVIDIA FLARE that flare-client does not have; its README says what it has", ended.stderr)
        ended = self.run_script("import nvflare.app_opt.pt.recipes.fedop", "job.py")
        self.assertIn("that flare-client does not have; did you mean nvflare.app_opt.pt.recipes.fedopt?", ended.stderr)


if __name__ == "__main__":
    unittest.main()
