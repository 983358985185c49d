"""Jobs that are put together: what goes where, what is refused, and which files go along."""

import os
import sys
import unittest

import numpy as np
from flare_client.job import (
    CrossSiteModelEval,
    CyclicController,
    FedAvg,
    FedJob,
    FedOpt,
    FilterType,
    FullModelShareableGenerator,
    InTimeAccumulateWeightedAggregator,
    IntimeModelSelector,
    JobError,
    ModelQuantizer,
    NPModelPersistor,
    PercentilePrivacy,
    PTFileModelPersistor,
    ScatterAndGather,
    ScriptRunner,
    SVTPrivacy,
    TBAnalyticsReceiver,
)
from job_folders import JobFolders, told


def small_job(**arguments):
    job = FedJob(name="small", **arguments)
    job.to_server(FedAvg(num_clients=2, num_rounds=3))
    job.to_server(NPModelPersistor(model=[[1, 2], [3, 4]]))
    return job


class Jobs(JobFolders):
    def test_a_job_for_every_site_is_one_app(self):
        job = small_job(min_clients=2, mandatory_clients=["site-1"], meta_props={"scope": "public"})
        job.to_server(IntimeModelSelector(key_metric="accuracy"))
        job.to_clients(ScriptRunner(script="client.py", script_args="--epochs 2 --name 'a b'"))
        folder = job.export_job("jobs")
        self.assertEqual(folder, os.path.join(self.folder, "jobs", "small"))
        self.assertEqual(
            self.json(folder, "meta.json"),
            {"name": "small", "deploy_map": {"app": ["@ALL"]}, "min_clients": 2, "mandatory_clients": ["site-1"], "scope": "public"},
        )
        arguments = {"num_clients": 2, "num_rounds": 3, "key_metric": "accuracy", "initial_model": "initial_model.safetensors"}
        self.assertEqual(self.workflow(folder), {"id": "controller", "path": "FedAvg", "args": arguments})
        self.assertEqual(
            self.executor(folder), {"task_script_path": "client.py", "task_script_args": ["--epochs", "2", "--name", "a b"]}
        )
        self.assertEqual(self.model(folder), {"numpy_key": ("F32", (2, 2))})

    def test_sites_that_are_named_have_apps_of_their_own_and_the_server_has_no_code(self):
        job = small_job()
        for site in ("north", "south"):
            job.to(ScriptRunner(script="client.py", script_args=["--site", site]), site, tasks=["train"])
        job.to(PercentilePrivacy(gamma=0.5), "north", tasks=["train"], filter_type=FilterType.TASK_RESULT)
        job.to(SVTPrivacy(0.5, epsilon_release=4), "north", tasks=["train"], filter_type=FilterType.TASK_RESULT)
        job.to(ModelQuantizer("blockwise8"), "north", tasks=["train"], filter_type=FilterType.TASK_RESULT)
        folder = job.export_job("jobs")
        self.assertEqual(
            self.json(folder, "meta.json")["deploy_map"], {"app_server": ["server"], "app_north": ["north"], "app_south": ["south"]}
        )
        filters = [
            {"path": "PercentilePrivacy", "args": {"percentile": 10, "gamma": 0.5}},
            {
                "path": "SVTPrivacy",
                "args": {
                    "fraction": 0.5,
                    "epsilon": 0.1,
                    "noise_var": 0.1,
                    "gamma": 1e-05,
                    "tau": 1e-06,
                    "replace": True,
                    "epsilon_release": 4,
                },
            },
            {"path": "ModelQuantizer", "args": {"quantization_type": "blockwise8"}},
        ]
        north = self.json(folder, "app_north", "config", "config_fed_client.json")
        self.assertEqual(north["task_result_filters"], [{"tasks": ["train"], "filters": filters}])
        self.assertEqual(self.executor(folder, "app_south")["task_script_args"], ["--site", "south"])
        self.assertEqual(self.files(os.path.join(folder, "app_server")), ["config/config_fed_server.json", "initial_model.safetensors"])

    def test_the_same_job_has_the_same_bytes_and_takes_the_place_of_an_earlier_export(self):
        job = small_job()
        job.to_clients(ScriptRunner(script="client.py"))
        first = self.bytes_of(job.export_job("jobs"))
        self.write("jobs/small/app/custom/left.py", "")
        self.assertEqual(self.bytes_of(job.export_job("jobs")), first)
        self.assertEqual(os.listdir("jobs"), ["small"])
        self.write("others/small/notes.txt", "mine")
        with self.assertRaisesRegex(JobError, "is not a folder of the job 'small'"):
            job.export_job("others")
        self.assertEqual(self.files("others"), ["small/notes.txt"])

    def test_components_of_flares_older_jobs_say_how_the_workflow_works(self):
        job = FedJob(name="older")
        generator = job.to_server(FullModelShareableGenerator(), id="shareable_generator")
        persistor = job.to_server(NPModelPersistor(), id="persistor")
        aggregator = job.to_server(InTimeAccumulateWeightedAggregator(aggregation_weights={"site-1": 2.0}), id="aggregator")
        job.to_server(
            ScatterAndGather(
                min_clients=2, num_rounds=4, aggregator_id=aggregator, persistor_id=persistor, shareable_generator_id=generator
            )
        )
        job.to_server(CrossSiteModelEval(model_locator_id="locator", validation_timeout=60))
        job.to_clients(ScriptRunner(script="client.py"))
        folder = job.export_job("jobs")
        arguments = {"aggregation_weights": {"site-1": 2.0}, "num_rounds": 4, "min_clients": 2, "initial_model": "initial_model.safetensors"}
        self.assertEqual(self.workflow(folder), {"id": "controller", "path": "FedAvg", "args": arguments})
        self.assertEqual(self.workflow(folder, 1), {"id": "cross_site_eval", "path": "CrossSiteModelEval", "args": {"validation_timeout": 60}})
        self.assertEqual(self.model(folder), {"numpy_key": ("F32", (3, 3))})

    def test_optimizers_become_strategies(self):
        for optimizer, strategy, settings in (
            ({"path": "torch.optim.SGD", "args": {"lr": 1.0, "momentum": 0.6}}, "fed-avg-m", {"learningRate": 1.0, "momentum": 0.6}),
            (
                {"class_path": "torch.optim.Adam", "args": {"lr": 0.1}, "config_type": "dict"},
                "fed-adam",
                {"learningRate": 0.1, "beta1": 0.9, "beta2": 0.999, "tau": 1e-8, "biasCorrection": True},
            ),
            ({"path": "torch.optim.Adagrad"}, "fed-adagrad", {"learningRate": 0.01, "tau": 1e-10, "initialVariance": 0}),
        ):
            arguments = FedOpt(optimizer_args=optimizer).arguments
            self.assertEqual((arguments["strategy"], arguments["strategy_args"]), (strategy, settings))
        for refused, why in (
            ({"path": "torch.optim.RMSprop"}, "the optimizer 'torch.optim.RMSprop' is not here; Adagrad, Adam, SGD of torch.optim are"),
            ({"path": "torch.optim.SGD", "args": {"lr": 1.0, "nesterov": True}}, "'nesterov' of torch.optim.SGD is not here"),
        ):
            with self.assertRaisesRegex(JobError, why):
                FedOpt(optimizer_args=refused)
        with self.assertRaisesRegex(JobError, "'lr_scheduler_args' is not here"):
            FedOpt(lr_scheduler_args={"path": "torch.optim.lr_scheduler.CosineAnnealingLR"})

    def test_what_makes_no_difference_is_told_in_a_line_and_once(self):
        with told() as output:
            FedAvg(memory_gc_rounds=0, save_filename="FL_global_model.pt")
            self.assertEqual(output.getvalue(), "")
            for _ in range(2):
                CyclicController(task_assignment_timeout=30)
            job = small_job()
            job.to_clients(TBAnalyticsReceiver(events=["analytix_log_stats"]))
        lines = output.getvalue().splitlines()
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], "^flare-client: 'task_assignment_timeout' of CyclicController has no effect here: tasks are pushed")
        self.assertRegex(lines[1], "^flare-client: TBAnalyticsReceiver has no effect here: what scripts track is shown")

    def test_what_is_wrong_is_refused_where_it_is_written(self):
        class Own(FedAvg):
            pass

        job = small_job()
        for refused, why in (
            (lambda: FedAvg(num_round=3), "FedAvg has no argument 'num_round'; did you mean 'num_rounds'?"),
            (lambda: FedAvg(aggregator=object()), "'aggregator' is not here: no code of a job runs at the server"),
            (lambda: job.to_server(Own()), "Own is a class of your own: no code of a job runs at the server"),
            (lambda: job.to_server(object()), "object is no component that is known here"),
            (lambda: job.to_clients(object()), "a site runs a script, by a ScriptRunner"),
            (lambda: job.to_clients(FedAvg()), "a FedAvg is for the server"),
            (lambda: job.to_server(ScriptRunner(script="client.py")), "a ScriptRunner is for sites"),
            (lambda: job.to_clients(ScriptRunner(script="client.py"), task=["train"]), "'task'; did you mean 'tasks'?"),
            (lambda: job.to_clients(PercentilePrivacy()), "a filter needs filter_type"),
            (lambda: job.to_clients(PercentilePrivacy(), filter_type=FilterType.TASK_DATA), "models go to sites as they are"),
            (lambda: job.to_server(ModelQuantizer()), "the server has no filters"),
            (lambda: ScriptRunner(script="client.py", framework="tensorflow"), "TensorFlow"),
            (lambda: ScriptRunner(script="client.py", execution_mode="attach"), "'attach' is not here"),
            (lambda: FedJob(name="../up"), "'../up' cannot be the name of a job"),
            (lambda: job.to(ScriptRunner(script="client.py"), "../up"), "'../up' is no name of a site"),
            (lambda: FedJob(meta_props={"name": "other"}), "meta_props cannot have 'name'"),
        ):
            with self.assertRaises(JobError) as caught:
                refused()
            self.assertIn(why, str(caught.exception))

    def test_what_is_missing_is_told_when_the_job_is_written(self):
        script = ScriptRunner(script="client.py")
        with self.assertRaisesRegex(JobError, "no site has anything to do"):
            small_job().export_job("jobs")
        job = FedJob()
        job.to_clients(script)
        with self.assertRaisesRegex(JobError, "the server has no workflow"):
            job.export_job("jobs")
        job.to_server(FedAvg())
        with self.assertRaisesRegex(JobError, "the job has no first model"):
            job.export_job("jobs")
        job.to_server(PTFileModelPersistor(model="model"))
        with self.assertRaisesRegex(JobError, "'model' is no model of the server's app"):
            job.export_job("jobs")
        job = small_job()
        job.to_clients(script)
        job.to(script, "site-1")
        with self.assertRaisesRegex(JobError, "the job goes to every site, and has something else for site-1"):
            job.export_job("jobs")
        job = small_job()
        job.to_clients(ScriptRunner(script="cliemt.py"))
        with self.assertRaisesRegex(JobError, "there is no file cliemt.py in "):
            job.export_job("jobs")
        self.assertFalse(os.path.exists("jobs"))

    def test_each_folder_in_which_a_script_was_looked_for_is_named_once(self):
        job = small_job()
        for main, where in (
            (self.folder, f"there is no file cliemt.py in {self.folder}"),
            ("/elsewhere", f"there is no file cliemt.py, neither in {self.folder} nor in /elsewhere"),
        ):
            sys.argv[0] = os.path.join(main, "job.py")
            with self.assertRaises(JobError) as caught:
                job.to_clients("cliemt.py")
            self.assertEqual(str(caught.exception), where)


class Commands(unittest.TestCase):
    def test_a_script_has_the_sites_own_python_unless_a_command_counts(self):
        for arguments in ({}, {"command": "torchrun"}, {"launch_external_process": True}, {"execution_mode": "external_process"}):
            self.assertEqual(ScriptRunner("a.py", **arguments).executor("src/a.py")["args"], {"task_script_path": "src/a.py"})

    def test_interpreters_and_launchers_run_it_by_the_client(self):
        run = ["-m", "flare_client", "run", "a.py", "--lr", "0.1"]
        launch = ["python3", "-m", "flare_client", "launch"]
        for command, words in (
            ("/opt/venv/bin/python -X dev", ["/opt/venv/bin/python", "-X", "dev", *run]),
            ("torchrun --nproc_per_node=2", [*launch, "torchrun", "--nproc_per_node=2", *run]),
            ("python3 -m torch.distributed.run --nnodes 1", [*launch, "python3", "-m", "torch.distributed.run", "--nnodes", "1", *run]),
        ):
            runner = ScriptRunner("a.py", "--lr 0.1", launch_external_process=True, command=command)
            self.assertEqual(runner.executor("a.py")["args"], {"command": words})
        with self.assertRaisesRegex(JobError, "the command 'bash run.sh' is neither a Python with its options nor a launcher"):
            ScriptRunner("a.py", launch_external_process=True, command="bash run.sh")

    def test_settings_of_a_process_count_only_where_there_is_one_of_its_own_in_flare(self):
        settings = {"launch_once": False, "launch_timeout": 20.0, "shutdown_timeout": 5.0}
        self.assertEqual(ScriptRunner("a.py", **settings).executor("a.py")["args"], {"task_script_path": "a.py"})
        written = ScriptRunner("a.py", launch_external_process=True, memory_gc_rounds=2, cuda_empty_cache=True, **settings).executor("a.py")
        self.assertEqual(
            written["args"],
            {
                "task_script_path": "a.py",
                "launch_once": False,
                "launch_timeout": 20.0,
                "stop_grace_period": 5.0,
                "memory_gc_rounds": 2,
                "cuda_empty_cache": True,
            },
        )


class Files(JobFolders):
    def custom(self, *scripts: str, **extra: str):
        job = small_job()
        for script in scripts:
            job.to_clients(ScriptRunner(script=script))
        for file in extra.values():
            job.to_clients(file)
        return self.files(os.path.join(job.export_job("jobs"), "app", "custom"))

    def test_a_script_takes_the_modules_along_that_it_imports(self):
        self.write("client.py", "import numpy, model\nfrom parts.deep import layer\nfrom parts import other, VALUE\nimport nvflare.client\n")
        self.write("model.py", "def load():\n    from weights import table\n")
        self.write("weights.py", "table = {}\n")
        self.write("parts/__init__.py", "VALUE = 1\n")
        self.write("parts/other.py", "from . import sibling\nfrom .deep.layer import x\n")
        self.write("parts/sibling.py", "")
        self.write("parts/deep/layer.py", "x = 1\n")
        self.write("unrelated.py", "")
        self.write("nvflare/client.py", "")
        names = ["client.py", "model.py", "parts/__init__.py", "parts/deep/layer.py", "parts/other.py", "parts/sibling.py", "weights.py"]
        self.assertEqual(self.custom("client.py"), names)

    def test_a_script_in_a_folder_keeps_its_place_and_finds_modules_beside_it_and_below_the_job(self):
        self.write("src/train.py", "import net\nfrom src.data import read\n")
        self.write("src/net.py", "")
        self.write("src/data.py", "")
        self.assertEqual(self.custom("src/train.py"), ["src/data.py", "src/net.py", "src/train.py"])

    def test_a_script_is_also_found_beside_the_one_that_defines_the_job(self):
        self.write("elsewhere/notes.txt", "")
        os.chdir("elsewhere")
        self.assertEqual(self.custom("client.py"), ["client.py"])

    def test_an_absolute_path_is_placed_by_the_folder_that_python_would_find_it_in(self):
        self.assertEqual(self.custom(self.write("src/train.py", "")), ["src/train.py"])

    def test_files_and_folders_may_be_added(self):
        self.write("assets/words.txt", "a b")
        self.write("assets/deep/more.txt", "c")
        self.write("assets/__pycache__/words.pyc", "")
        self.write("settings.yaml", "")
        self.assertEqual(
            self.custom("client.py", folder="assets", file="settings.yaml"), ["client.py", "deep/more.txt", "settings.yaml", "words.txt"]
        )
        job = small_job()
        job.to_clients(ScriptRunner(script="client.py"))
        job.add_file_to_clients("settings.yaml", dest_dir="etc")
        with told() as output:
            job.add_file_to_server("settings.yaml")
        self.assertIn("settings.yaml at the server has no effect here", output.getvalue())
        self.assertEqual(self.files(os.path.join(job.export_job("jobs"), "app", "custom")), ["client.py", "etc/settings.yaml"])
        with self.assertRaisesRegex(JobError, "is no folder inside of a job"):
            job.add_file_to_clients("settings.yaml", dest_dir="../../etc")

    def test_two_files_for_one_place_are_refused(self):
        self.write("other/client.py", "")
        with self.assertRaisesRegex(JobError, "would both be custom/client.py of the job"):
            self.custom("client.py", folder="other")

    def test_a_script_that_is_no_python_is_named_with_its_line(self):
        self.write("client.py", "import numpy\ndef broken(:\n")
        with self.assertRaisesRegex(JobError, r"client\.py is no Python: line 2"):
            self.custom("client.py")


class Models(JobFolders):
    def export(self, model=None, checkpoint=None):
        job = FedJob(name="model")
        job.to_server(FedAvg())
        job.to_server(PTFileModelPersistor(model=model, source_ckpt_file_full_name=checkpoint))
        job.to_clients(ScriptRunner(script="client.py"))
        return self.model(job.export_job("jobs"))

    def test_arrays_may_have_names_and_then_keep_their_kinds(self):
        self.assertEqual(self.export({"w": np.zeros((2, 3)), "n": np.int64([1])}), {"w": ("F64", (2, 3)), "n": ("I64", (1,))})

    def test_files_of_numpy_and_safetensors_are_read(self):
        np.save("model.npy", np.zeros((3,), np.float64))
        self.assertEqual(self.export(checkpoint="model.npy"), {"numpy_key": ("F64", (3,))})
        np.savez("model.npz", a=np.zeros(2, np.float32), b=np.zeros(1, np.int32))
        self.assertEqual(self.export(checkpoint="model.npz"), {"a": ("F32", (2,)), "b": ("I32", (1,))})
        self.assertEqual(self.export(checkpoint="jobs/model/app/initial_model.safetensors"), {"a": ("F32", (2,)), "b": ("I32", (1,))})

    def test_what_is_no_model_is_told(self):
        np.save("objects.npy", np.array([{}], dtype=object), allow_pickle=True)
        for model, checkpoint, why in (
            (None, "/nowhere/model.npy", "so it must be on this machine"),
            (None, "objects.npy", "cannot be read as a model"),
            (None, "client.py", "is no file of a kind that is known"),
            ("nobody", None, "'nobody' is no model of the server's app"),
            ({"path": "nobody.Net"}, None, "the model's class 'nobody.Net' cannot be imported"),
            ({"w": object()}, None, "the model cannot be the first one of a job: Tensor 'w'"),
            ({}, None, "the model has no tensors"),
            (["a"], None, "a list is no model"),
        ):
            with self.assertRaises(JobError) as caught:
                self.export(model, checkpoint)
            self.assertIn(why, str(caught.exception))


if __name__ == "__main__":
    unittest.main()
