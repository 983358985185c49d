import os
import sys
import tempfile
import textwrap
import unittest

import numpy as np
from flare_client import ClientApiError
from flare_client.safetensors import read_safetensors, write_safetensors
from flare_client.tensors import difference, raw_tensors, to_own
from job_process import JobProcess

try:
    import torch
except ImportError:
    torch = None


# What torchrun does, without it: Debian's of PyTorch 1.13 does not start under Python 3.11.
LAUNCHER = """
import os, socket, subprocess, sys
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
ranks = [
    subprocess.Popen(
        [sys.executable, "-m", "flare_client", "run", *sys.argv[1:]],
        env={**os.environ, "RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)},
    )
    for rank in range(2)
]
sys.exit(max(rank.wait() for rank in ranks))
"""


@unittest.skipIf(torch is None, "Python without PyTorch (Debian package python3-torch)")
class Torch(unittest.TestCase):
    def test_tensors_come_back_bfloat16_included(self):
        params = {
            "bf16": torch.arange(5, dtype=torch.bfloat16) / 3,
            "f32": torch.randn(2, 3).t(),
            "grad": torch.nn.Parameter(torch.ones(2)),
            "bool": torch.tensor([True, False]),
            "scalar": torch.tensor(3),
            "empty": torch.zeros(0, 4),
        }
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.safetensors")
            write_safetensors(path, raw_tensors(params).items())
            read = {name: to_own(raw) for name, raw in read_safetensors(path).items()}
        for name, value in params.items():
            self.assertTrue(torch.equal(read[name], value.detach()), name)
            self.assertEqual(read[name].dtype, value.dtype)

    def test_differences_of_bfloat16_are_made_in_it(self):
        after, before = raw_tensors({"w": torch.tensor([3.0, 5.0], dtype=torch.bfloat16)}), raw_tensors({"w": torch.ones(2, dtype=torch.bfloat16)})
        made = to_own(difference("w", after["w"], before))
        self.assertTrue(torch.equal(made, torch.tensor([2.0, 4.0], dtype=torch.bfloat16)))

    def test_a_tensor_that_is_not_dense_is_named(self):
        for tensor in (torch.eye(2).to_sparse(), torch.zeros(2, device="meta"), torch.ones(2, dtype=torch.complex64)):
            with self.assertRaisesRegex(ClientApiError, "Tensor 'w'"):
                raw_tensors({"w": tensor})

    def test_a_script_trains_a_module_with_what_it_receives(self):
        script = textwrap.dedent(
            """
            import torch
            import nvflare.client as flare

            model = torch.nn.Linear(2, 1)
            flare.init()
            while flare.is_running():
                received = flare.receive()
                model.load_state_dict(received.params)
                with torch.no_grad():
                    model.weight += 1
                flare.send(flare.FLModel(params=model.cpu().state_dict(), metrics={"loss": torch.tensor(0.5)}, meta={"NUM_STEPS_CURRENT_ROUND": 2}))
            """
        )
        job = JobProcess(script)
        job.greet()
        job.task({"weight": np.float32([[1, 2]]), "bias": np.float32([0])})
        result = job.result()
        np.testing.assert_array_equal(np.asarray(to_own(result["tensors"]["weight"])), [[2, 3]])
        job.accept(result)
        self.assertEqual(job.stop(), (0, ""))

    def test_rank_0_speaks_and_the_others_hear_of_it(self):
        script = textwrap.dedent(
            """
            import torch
            import torch.distributed as dist
            import flare_client as flare

            dist.init_process_group("gloo")
            flare.init()
            while flare.is_running():
                model = flare.receive()
                mean = model.params["w"] + dist.get_rank()
                dist.all_reduce(mean)
                flare.send(flare.FLModel(params={"w": mean / dist.get_world_size()}, meta={"NUM_STEPS_CURRENT_ROUND": 1}))
            dist.destroy_process_group()
            """
        )
        job = JobProcess(script, command=["-m", "flare_client", "launch", sys.executable, "-c", LAUNCHER])
        try:
            job.greet()
            for number in range(2):
                job.task({"w": np.float32([1, 2])}, number, f"task-{number}")
                result = job.result()
                self.assertEqual(result["type"], "result", result)
                np.testing.assert_array_equal(np.asarray(to_own(result["tensors"]["w"])), [1.5, 2.5])
                job.accept(result)
        finally:
            status, output = job.stop()
        self.assertEqual(status, 0, output)


if __name__ == "__main__":
    unittest.main()
