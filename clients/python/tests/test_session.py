import contextlib
import io
import sys
import textwrap
import unittest

import numpy as np
from flare_client.command import main
from flare_client.safetensors import read_safetensors
from flare_client.tensors import to_own
from job_process import JobProcess

LOOP = textwrap.dedent(
    """
    import flare_client as flare
    flare.init()
    while flare.is_running():
        model = flare.receive()
        params = {name: value + 1 for name, value in model.params.items()}
        flare.log("loss", 0.5, global_step=model.current_round)
        flare.send(flare.FLModel(params=params, metrics={"loss": 0.5}, meta={"NUM_STEPS_CURRENT_ROUND": 7}))
    print("over")
    """
)


class Session(unittest.TestCase):
    def test_answers_each_model_and_ends_when_the_job_is_over(self):
        job = JobProcess(LOOP)
        self.assertEqual(job.greet()["protocol_version"], 1)
        for number in range(2):
            job.task({"w": np.arange(3, dtype=np.float32)}, number, f"task-{number}")
            result = job.result()
            self.assertEqual((result["params_type"], result["weight"], result["metrics"]), ("FULL", 7.0, {"loss": 0.5}))
            self.assertEqual(result["logs"], [{"type": "log", "key": "loss", "value": 0.5, "round": number, "step": number}])
            np.testing.assert_array_equal(to_own(result["tensors"]["w"]), np.float32([1, 2, 3]))
            job.accept(result)
        self.assertEqual(job.stop(), (0, "over\n"))

    def test_a_job_that_ends_after_all_ranks_heard_of_a_model_is_told_to_all_at_the_next(self):
        # Rank 0 of a trainer of several processes, which wait for what it shares when they ask for a model, and only then.
        script = textwrap.dedent(
            """
            import sys, time, types
            shared = []
            torch = types.ModuleType("torch")
            torch.Tensor = type("Tensor", (), {})
            torch.distributed = types.SimpleNamespace(
                is_available=lambda: True,
                is_initialized=lambda: True,
                broadcast_object_list=lambda box, src: shared.append(box[0][0]),
            )
            sys.modules["torch"] = torch
            import flare_client as flare
            from flare_client import api
            flare.init()
            assert flare.is_running()
            flare.log("loss", 0.5)
            while not api._process.session.is_over:
                time.sleep(0.01)
            model = flare.receive()
            print(len(shared), model.current_round)
            flare.send(flare.FLModel(params=model.params, meta={"NUM_STEPS_CURRENT_ROUND": 1}))
            print(flare.is_running(), len(shared))
            """
        )
        job = JobProcess(script)
        job.greet()
        job.task({"w": np.zeros(1, dtype=np.float32)})
        self.assertEqual(job.receive()["type"], "log")
        self.assertEqual(job.stop(), (0, "1 0\nFalse 2\n"))

    def test_every_rank_knows_job_and_site_before_the_first_model(self):
        script = "import flare_client as flare\nflare.init(rank='1')\nprint(flare.get_site_name(), flare.get_job_id(), flare.system_info()['datasets'])\n"
        self.assertEqual(JobProcess(script).end(), (0, "site-1 job-1 {}\n"))

    def test_is_launched_where_the_temporary_folder_has_a_long_path(self):
        # As a trainer has it: deep in a site's kit, beyond what the path of a socket may have.
        temporary = "workspace/example_project/prod_00/hospital-a/3f0c9a52-6f0e-4e0a-9d2b-0f8f5a4a7b11/client_api_0/tmp"
        job = JobProcess(LOOP, command=["-m", "flare_client", "launch", sys.executable], temporary=temporary)
        job.greet()
        self.assertEqual(job.stop(), (0, "over\n"))

    def test_sends_the_difference_where_the_job_wants_it(self):
        job = JobProcess(LOOP, transfer="DIFF")
        job.greet()
        job.task({"w": np.arange(3, dtype=np.float32)})
        result = job.result()
        self.assertEqual(result["params_type"], "DIFF")
        np.testing.assert_array_equal(to_own(result["tensors"]["w"]), np.float32([1, 1, 1]))
        job.accept(result)
        self.assertEqual(job.stop()[0], 0)

    def test_a_refused_result_raises_and_the_task_stays_open(self):
        script = LOOP.replace(
            'flare.send(flare.FLModel(params=params,', 'answer = flare.FLModel(params=params,'
        ).replace('7}))', "7})\n    try:\n        flare.send(answer)\n    except flare.ClientApiError as error:\n        print(error.code)\n        flare.send(answer)")
        job = JobProcess(script)
        job.greet()
        job.task({"w": np.zeros(1, dtype=np.float32)})
        first = job.result()
        job.send(type="result_refused", task_id=first["task_id"], error={"code": "client-api/result-invalid", "message": "no"})
        job.accept(job.result())
        self.assertEqual(job.stop(), (0, "client-api/result-invalid\nover\n"))

    def test_a_cancelled_task_is_dropped(self):
        job = JobProcess(LOOP)
        job.send(type="unknown", of="a later version")
        job.greet()
        # Both stand in the channel before the script asks.
        job.task({"w": np.zeros(1, dtype=np.float32)}, 0, "first")
        result = job.result()
        job.task({"w": np.zeros(1, dtype=np.float32)}, 1, "second")
        job.send(type="cancel", task_id="second")
        job.task({"w": np.zeros(1, dtype=np.float32)}, 2, "third")
        job.accept(result)
        self.assertEqual(job.result()["task_id"], "third")
        self.assertEqual(job.stop()[0], 0)

    def test_some_tensors_alone_may_be_sent_as_their_differences(self):
        script = (
            "import flare_client as flare\nflare.init()\nmodel = flare.receive()\n"
            "flare.send(flare.FLModel(params={'adapter': model.params['adapter'] + 2}, meta={'NUM_STEPS_CURRENT_ROUND': 1}))\n"
        )
        job = JobProcess(script, transfer="DIFF")
        job.greet()
        job.task({"adapter": np.ones(2, dtype=np.float32), "frozen": np.ones(2, dtype=np.float32)})
        result = job.result()
        sent = read_safetensors(result["path"])
        self.assertEqual(list(sent), ["adapter"])
        self.assertEqual(np.frombuffer(sent["adapter"].data, dtype=np.float32).tolist(), [2, 2])
        self.assertEqual(result["params_type"], "DIFF")
        job.accept(result)
        job.stop()

    def test_a_job_process_that_is_gone_ends_the_loop(self):
        job = JobProcess(LOOP)
        job.greet()
        job.socket.shutdown(2)
        self.assertEqual(job.end(), (0, "over\n"))

    def test_mistakes_of_a_script_have_codes(self):
        mistakes = {
            "client-api/no-task": "flare.send(flare.FLModel(params={}))",
            "client-api/result-invalid": "flare.receive(); flare.send({'w': [1.0]})",
            "client-api/weight-missing": "flare.receive(); flare.send(flare.FLModel(params={}, meta={'NUM_STEPS_CURRENT_ROUND': 0}))",
        }
        invalid = (
            "params={'w': ['a']}, meta={'NUM_STEPS_CURRENT_ROUND': 1}",
            "params={'w': [1.0]}, meta={'NUM_STEPS_CURRENT_ROUND': 1}, metrics={'loss': 10 ** 400}",
            "params={'w': [1.0]}, meta={'NUM_STEPS_CURRENT_ROUND': 1}, metrics={'loss': numpy.array('low')}",
            "params={'w': [1.0]}, meta={'NUM_STEPS_CURRENT_ROUND': 1, 'seed': 10 ** 400}",
        )
        lines = [*mistakes.items(), *(("client-api/result-invalid", f"flare.receive(); flare.send(flare.FLModel({text}))") for text in invalid)]
        for code, line in lines:
            with self.subTest(line):
                job = JobProcess(f"import numpy\nimport flare_client as flare\nflare.init()\n{line}\n")
                job.greet()
                if code != "client-api/no-task":
                    job.task({"w": np.zeros(1, dtype=np.float32)})
                status, output = job.end()
                self.assertEqual(status, 1)
                self.assertIn(code, output)

    def test_what_breaks_the_protocol_is_told_to_both_sides(self):
        for broken in (b"not json\n", b'{"type":"task"}\n', b"x" * (1024 * 1024 + 2)):
            with self.subTest(broken[:20]):
                job = JobProcess(LOOP)
                job.greet()
                job.socket.sendall(broken)
                self.assertEqual(job.receive()["error"]["code"], "client-api/protocol-violation")
                status, output = job.end()
                self.assertEqual(status, 1)
                self.assertIn("client-api/protocol-violation", output)

    def test_another_version_is_refused(self):
        job = JobProcess(LOOP)
        job.receive()
        job.send(
            type="welcome", protocol_version=2, job_id="", job_name="", site_name="", params_transfer_type="FULL",
            train_task_names=[], datasets={}, result_folder="",
        )
        status, output = job.end()
        self.assertEqual(status, 1)
        self.assertIn("client-api/version-mismatch", output)

    def test_without_a_job_process_the_error_says_so(self):
        import subprocess
        import sys

        from job_process import SOURCE

        ended = subprocess.run(
            [sys.executable, "-c", "import flare_client; flare_client.init()"], env={"PYTHONPATH": SOURCE}, capture_output=True, text=True
        )
        self.assertIn("client-api/no-bootstrap", ended.stderr)

    def test_a_script_that_is_not_there_is_named_by_the_command_that_wants_it(self):
        for command in ("run", "attach"):
            output = io.StringIO()
            with contextlib.redirect_stderr(output), self.assertRaises(SystemExit):
                main([command, "none.py"])
            self.assertIn(f"flare-client {command}: error: there is no script none.py", output.getvalue())

    def test_receive_gives_up_after_its_timeout(self):
        job = JobProcess("import flare_client as flare\nflare.init()\nprint(flare.receive(timeout=0.01))\n")
        job.greet()
        self.assertEqual(job.end(), (0, "None\n"))


class Evaluations(unittest.TestCase):
    def answer(self, model, task_name="validate", transfer="FULL", **welcome):
        """The result of one task and the output of a script that answers it with such a model."""
        script = f"import numpy\nimport nvflare.client as flare\nflare.init()\nreceived = flare.receive()\nflare.send(flare.FLModel({model}))\n"
        job = JobProcess(script, transfer=transfer)
        job.greet(**welcome)
        job.task({"w": np.float32([8])}, task_name=task_name)
        result = job.result()
        if result["type"] == "result":
            job.accept(result)
        return result, job.end()[1]

    def test_metrics_alone_answer_an_evaluation(self):
        for transfer in ("FULL", "DIFF"):
            result, output = self.answer("metrics={'accuracy': 0.5}", transfer=transfer)
            sent = (result["params_type"], list(result["tensors"]), result["metrics"], result["weight"])
            self.assertEqual((sent, output), (("FULL", [], {"accuracy": 0.5}, 1.0), ""))

    def test_the_task_of_a_jobs_own_name_is_one_too(self):
        result, _ = self.answer("metrics={'accuracy': 0.5}", "assess", evaluate_task_names=["assess"])
        self.assertEqual(result["metrics"], {"accuracy": 0.5})

    def test_a_weight_is_taken_where_the_script_gives_one(self):
        result, _ = self.answer("metrics={'accuracy': 0.5}, meta={'NUM_STEPS_CURRENT_ROUND': 120}")
        self.assertEqual(result["weight"], 120.0)
        _, output = self.answer("metrics={'accuracy': 0.5}, meta={'NUM_STEPS_CURRENT_ROUND': 0}")
        self.assertIn("client-api/weight-missing", output)

    def test_params_stay_here_and_the_output_says_so(self):
        model = "params=received.params, params_type='DIFF', metrics={'accuracy': 0.5}"
        result, output = self.answer(model)
        self.assertEqual((result["params_type"], list(result["tensors"])), ("FULL", []))
        self.assertEqual(output, "flare-client: 'validate' is an evaluation: its metrics are sent, and its params are not\n")

    def test_needs_metrics(self):
        _, output = self.answer("params=received.params")
        self.assertIn("The answer to the evaluation 'validate' has no metrics. [client-api/result-invalid]", output)

    def test_any_other_task_needs_tensors_and_says_which_it_is(self):
        for name, model in (("train", "metrics={'accuracy': 0.5}"), ("submit_model", "params={}")):
            _, output = self.answer(model, name)
            self.assertIn(f"The answer to the task '{name}' has no tensor in its params; metrics alone answer an evaluation (validate).", output)

    def test_a_task_that_is_training_as_well_is_training(self):
        result, _ = self.answer("params=received.params", "validate", train_task_names=["validate"])
        self.assertEqual(list(result["tensors"]), ["w"])

    def test_the_sites_own_model_is_sent_as_the_job_wants_it(self):
        result, _ = self.answer("params={'w': received.params['w'] + 2}", "submit_model", "DIFF")
        self.assertEqual((result["params_type"], to_own(result["tensors"]["w"]).tolist()), ("DIFF", [2.0]))


class ScriptsForFlare(unittest.TestCase):
    def test_a_script_that_imports_nvflare_runs_unchanged(self):
        script = textwrap.dedent(
            """
            import sys
            import numpy as np
            import nvflare.client as flare
            from nvflare.app_common.abstract.fl_model import FLModel, ParamsType
            from nvflare.app_common.np.constants import NPConstants
            from nvflare.client.tracking import SummaryWriter

            flare.init()
            writer = SummaryWriter()
            info = flare.system_info()
            print(info["site_name"], info["job_id"], sys.argv[1:])
            while flare.is_running():
                model = flare.receive()
                assert flare.is_train() and not flare.is_evaluate()
                array = model.params[NPConstants.NUMPY_KEY] + 1
                writer.add_scalar("mean", np.mean(array), global_step=model.current_round)
                flare.send(FLModel(params={NPConstants.NUMPY_KEY: array}, params_type=ParamsType.FULL, metrics={"mean": np.mean(array)}))
            """
        )
        job = JobProcess(script, arguments=["--update_type", "full"])
        job.greet()
        job.task({"numpy_key": np.float64([[1, 2], [3, 4]])})
        result = job.result()
        self.assertEqual((result["weight"], result["metrics"]["mean"]), (1.0, 3.5))
        self.assertEqual(result["logs"][0]["key"], "mean")
        job.accept(result)
        status, output = job.stop()
        self.assertEqual(status, 0)
        self.assertIn("site-1 job-1 ['--update_type', 'full']", output)
        self.assertIn("counts as 1", output)

    def test_what_no_metric_can_be_is_written_out_and_ends_nothing(self):
        script = textwrap.dedent(
            """
            import nvflare.client as flare
            from nvflare.apis.analytix import AnalyticsDataType
            from nvflare.client.tracking import MLflowWriter, SummaryWriter

            flare.init()
            writer = MLflowWriter()
            model = flare.receive()
            writer.log_params({"lr": 0.25, "optimizer": "sgd"})
            writer.set_tags({"run": "first"})
            writer.log_text("it began", "notes.txt")
            SummaryWriter().add_scalar("loss", float("nan"), 3)
            SummaryWriter().add_scalar("loss", 10 ** 400, 10 ** 400)
            flare.log("note", "hello", flare.AnalyticsDataType.TEXT)
            flare.log("acc", 0.5, AnalyticsDataType.SCALAR, global_step=4)
            flare.send(flare.FLModel(params=model.params, meta={"NUM_STEPS_CURRENT_ROUND": 1}))
            """
        )
        job = JobProcess(script)
        job.greet()
        job.task({"w": np.float32([1])})
        result = job.result()
        self.assertEqual([(log["key"], log["value"]) for log in result["logs"]], [("lr", 0.25), ("acc", 0.5)])
        job.accept(result)
        status, output = job.stop()
        self.assertEqual(status, 0)
        for line in ("optimizer = sgd", "run = first", "notes.txt = it began", "loss = nan", "note = hello"):
            self.assertIn(f"flare-client: {line}", output)

    def test_a_module_that_is_not_there_is_named(self):
        job = JobProcess("import nvflare.app_opt.pt.model_persistor\n")
        status, output = job.end()
        self.assertEqual(status, 1)
        self.assertIn("nvflare.app_opt.pt.model_persistor is a module of NVIDIA FLARE that flare-client does not have", output)


if __name__ == "__main__":
    unittest.main()
