import os
import tempfile
import textwrap
import unittest

import numpy as np
from flare_client.tensors import to_own
from job_process import JobProcess

try:
    import torch
except ImportError:
    torch = None

needs_torch = unittest.skipIf(torch is None, "PyTorch is not installed")

MODEL = {
    "w": np.float32([1, 2]),
    "steps": np.int64([3]),
    "scaffold_c_global.w": np.float32([0.25, -0.25]),
    "mean": np.float32([4]),
    "scaffold_c_global.mean": np.float32([0.5]),
}

SCRIPT = textwrap.dedent(
    """
    import numpy as np
    import flare_client as flare
    from nvflare.app_common.app_constant import AlgorithmConstants

    flare.init()
    model = flare.receive()
    controls = model.meta[AlgorithmConstants.SCAFFOLD_CTRL_GLOBAL]
    print(sorted(model.params), sorted(controls), controls["w"].tolist(), model.meta["fedprox_mu"])
    meta = {**model.meta, "NUM_STEPS_CURRENT_ROUND": 2}
    %s
    flare.send(flare.FLModel(params={name: value + 1 for name, value in model.params.items()}, meta=meta))
    """
)

GIVEN = 'meta[AlgorithmConstants.SCAFFOLD_CTRL_DIFF] = {"w": np.float64([0.5, 1]), "steps": np.float32([0])}'


#: The gradient is 1. Step by step: y -= 0.5 · (1 + c - c_i); c_i becomes c_i - c + (1 + c - c_i) = 1.
HELPER_SCRIPT = """
import copy
import torch
import nvflare.client as flare
from nvflare.apis.fl_constant import FLMetaKey
from nvflare.app_common.app_constant import AlgorithmConstants
from nvflare.app_opt.pt.scaffold import PTScaffoldHelper, get_lr_values

model = torch.nn.Linear(2, 1, bias=False)
helper = PTScaffoldHelper()
helper.init(model=model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
flare.init()
while flare.is_running():
    received = flare.receive()
    controls = received.meta.get(AlgorithmConstants.SCAFFOLD_CTRL_GLOBAL)
    helper.load_global_controls(weights={name: torch.as_tensor(control) for name, control in controls.items()})
    c_global, c_local = helper.get_params()
    model.load_state_dict(received.params)
    model_global = copy.deepcopy(model)
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.ones(1, 2)).sum().backward()
        optimizer.step()
        helper.model_update(model=model, curr_lr=get_lr_values(optimizer)[0], c_global_para=c_global, c_local_para=c_local)
    helper.terms_update(
        model=model, curr_lr=get_lr_values(optimizer)[0], c_global_para=c_global, c_local_para=c_local, model_global=model_global
    )
    meta = {FLMetaKey.NUM_STEPS_CURRENT_ROUND: 2, AlgorithmConstants.SCAFFOLD_CTRL_DIFF: helper.get_delta_controls()}
    flare.send(flare.FLModel(params=model.cpu().state_dict(), meta=meta))
"""


class ControlVariates(unittest.TestCase):
    def answer(self, line, transfer="FULL", model=None):
        job = JobProcess(SCRIPT % line, transfer=transfer)
        job.greet()
        job.task(MODEL if model is None else model)
        result = job.result()
        if result["type"] != "result":
            return job.end()
        self.assertEqual(result["meta"], {"fedprox_mu": 0.1, "NUM_STEPS_CURRENT_ROUND": 2})
        job.accept(result)
        status, output = job.stop()
        self.assertEqual((status, output), (0, "['mean', 'steps', 'w'] ['mean', 'w'] [0.25, -0.25] 0.1\n"))
        return {name: (tensor.dtype, to_own(tensor).tolist()) for name, tensor in result["tensors"].items()}, result["params_type"]

    def test_are_in_meta_and_go_with_a_whole_model_as_what_they_come_to(self):
        tensors, kind = self.answer(GIVEN)
        self.assertEqual(kind, "FULL")
        self.assertEqual((tensors["w"], tensors["steps"], tensors["mean"]), (("F32", [2, 3]), ("I64", [4]), ("F32", [5])))
        self.assertEqual((tensors["scaffold_c_global.w"], tensors["scaffold_c_global.mean"]), (("F32", [0.75, 0.75]), ("F32", [0.5])))

    def test_go_with_a_difference_as_differences(self):
        tensors, kind = self.answer(GIVEN, transfer="DIFF")
        self.assertEqual(kind, "DIFF")
        self.assertEqual((tensors["w"], tensors["steps"], tensors["mean"]), (("F32", [1, 1]), ("I64", [1]), ("F32", [1])))
        self.assertEqual((tensors["scaffold_c_global.w"], tensors["scaffold_c_global.mean"]), (("F32", [0.5, 1]), ("F32", [0])))

    def test_are_missed_with_a_word_on_what_to_do(self):
        for line, message in (
            ("", "meta['scaffold_c_diff'] is missing: the job's workflow is Scaffold"),
            ("meta['scaffold_c_diff'] = {'v': np.float32([1, 2])}", "names 'v', which is no tensor of the received model"),
            ("meta['scaffold_c_diff'] = {'w': np.float32([1])}", "is of the shape (1,); that of its tensor is (2,)"),
            ("meta['scaffold_c_diff'] = {'steps': np.int64([0])}", "has no control variate in it"),
            ("meta['scaffold_c_diff'] = [1.0]", "is a list; it must be tensors by name"),
        ):
            with self.subTest(line):
                status, output = self.answer(line)
                self.assertEqual(status, 1)
                self.assertIn("client-api/result-invalid", output)
                self.assertIn(message, output)

    def test_are_refused_where_the_workflow_is_another(self):
        script = "import flare_client as flare\nflare.init()\nmodel = flare.receive()\nprint(sorted(model.meta))\n"
        sends = "flare.send(flare.FLModel(params=model.params, meta={'NUM_STEPS_CURRENT_ROUND': 1, 'scaffold_c_diff': model.params}))\n"
        job = JobProcess(script + sends)
        job.greet()
        job.task({"w": np.float32([1])})
        status, output = job.end()
        self.assertEqual(status, 1)
        self.assertIn("['fedprox_mu']", output)
        self.assertIn("the job's workflow is not Scaffold", output)


@needs_torch
class Helper(unittest.TestCase):
    def test_makes_algorithm_1_of_a_loop_with_sgd(self):
        from flare_client.torch_scaffold import PTScaffoldHelper, get_lr_values

        torch.manual_seed(1)
        model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1)).double()
        names = [name for name, _ in model.named_parameters()]
        helper = PTScaffoldHelper()
        helper.init(model)
        own = {name: np.zeros(parameter.shape) for name, parameter in model.named_parameters()}
        generator = np.random.default_rng(2)
        for _ in range(3):
            control = {name: generator.standard_normal(own[name].shape) for name in names}
            # The server's file has control variates of running statistics too.
            helper.load_global_controls(weights={**control, "1.running_mean": np.zeros(4)})
            c_global, c_local = helper.get_params()
            received = _copy_of(model)
            expected = {name: parameter.detach().numpy().copy() for name, parameter in model.named_parameters()}
            optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
            for _ in range(4):
                optimizer.zero_grad()
                model(torch.from_numpy(generator.standard_normal((8, 3)))).square().mean().backward()
                for name, parameter in model.named_parameters():
                    expected[name] -= 0.05 * (parameter.grad.numpy() + control[name] - own[name])
                optimizer.step()
                helper.model_update(model=model, curr_lr=get_lr_values(optimizer)[0], c_global_para=c_global, c_local_para=c_local)
            helper.terms_update(model=model, curr_lr=0.05, c_global_para=c_global, c_local_para=c_local, model_global=received)
            deltas = helper.get_delta_controls()
            self.assertEqual(list(deltas), names)
            before = dict(received.named_parameters())
            for name, parameter in model.named_parameters():
                np.testing.assert_allclose(parameter.detach().numpy(), expected[name], rtol=0, atol=1e-12)
                new = own[name] - control[name] + (before[name].detach().numpy() - expected[name]) / (4 * 0.05)
                np.testing.assert_allclose(deltas[name], new - own[name], rtol=0, atol=1e-11)
                own[name] = new

    def test_takes_bfloat16(self):
        from flare_client.torch_scaffold import PTScaffoldHelper

        model = torch.nn.Linear(2, 1, bias=False).bfloat16()
        helper = PTScaffoldHelper()
        helper.init(model)
        helper.load_global_controls({"weight": np.float32([[1, 2]])})
        received = _copy_of(model)
        controls = helper.get_params()
        helper.model_update(model, 0.5, *controls)
        helper.terms_update(model, 0.5, *controls, received)
        self.assertEqual(helper.get_delta_controls()["weight"].dtype, torch.bfloat16)

    def test_says_what_was_forgotten(self):
        from flare_client.torch_scaffold import PTScaffoldHelper

        model = torch.nn.Linear(2, 1)
        helper = PTScaffoldHelper()
        for call, message in (
            (lambda: helper.load_global_controls({}), "call init"),
            (helper.get_delta_controls, "call terms_update"),
        ):
            self.assertRaisesRegex(ValueError, message, call)
        helper.init(model)
        self.assertRaisesRegex(ValueError, "no control variate of bias", lambda: helper.load_global_controls({"weight": np.zeros((1, 2))}))
        self.assertRaisesRegex(ValueError, "call model_update after each step", lambda: helper.terms_update(model, 0.1, *helper.get_params(), model))


@needs_torch
class ScriptsForFlare(unittest.TestCase):
    def test_a_script_with_the_helper_runs_unchanged(self):
        job = JobProcess(HELPER_SCRIPT, transfer="DIFF")
        job.greet()
        for number, (control, delta, moved) in enumerate(((0, 1, -1), (0.5, 0, -0.5))):
            tensors = {"weight": np.float32([[4, 4]]), "scaffold_c_global.weight": np.full((1, 2), control, dtype=np.float32)}
            job.task(tensors, number, f"task-{number}")
            result = job.result()
            sent = {name: to_own(tensor).tolist() for name, tensor in result["tensors"].items()}
            self.assertEqual(sent, {"weight": [[moved, moved]], "scaffold_c_global.weight": [[delta, delta]]})
            job.accept(result)
        self.assertEqual(job.stop()[0], 0)

    def test_a_trainer_that_is_started_anew_goes_on_with_the_control_variates_of_its_site(self):
        with tempfile.TemporaryDirectory() as state:
            self.assertEqual(self.moves([("a", 0, 0)], state), [-1])
            # One that has died before it sent its answer is asked again, and so is one whose site has died.
            for _ in range(2):
                self.assertEqual(self.moves([("b", 1, 0.5)], state, is_heard=False), [-0.5])
            self.assertEqual(self.moves([("b", 1, 0.5), ("b", 1, 0.5), ("c", 2, 0.5)], state), [-0.5, -0.5, -0.5])
            self.assertEqual(self.moves([("c", 2, 0.25)], state), [-0.25])
            self.assertEqual(sorted(name.split(".")[2] for name in os.listdir(state)), ["b", "c"])
            # The next workflow begins with zeros, in a new trainer and in one that has been there before.
            self.assertEqual(self.moves([("d", 0, 0)], state), [-1])
            self.assertEqual(self.moves([("e", 1, 0.5), ("f", 0, 0)], state), [-0.5, -1])
        # Without a place to keep them they are zeros again.
        self.assertEqual(self.moves([("b", 1, 0.5)], None), [-1.5])

    def moves(self, tasks, state, is_heard=True):
        """What one trainer answers to tasks, each a name, a round and the federation's control variate."""
        job = JobProcess(HELPER_SCRIPT, transfer="DIFF")
        job.greet(**({} if state is None else {"state_folder": state}))
        moved = []
        for task_id, number, control in tasks:
            tensors = {"weight": np.float32([[4, 4]]), "scaffold_c_global.weight": np.full((1, 2), control, dtype=np.float32)}
            job.task(tensors, number, task_id)
            result = job.result()
            moved.append(to_own(result["tensors"]["weight"])[0, 0])
            if is_heard:
                job.accept(result)
        job.stop()
        return moved


def _copy_of(model):
    import copy

    return copy.deepcopy(model)


if __name__ == "__main__":
    unittest.main()
