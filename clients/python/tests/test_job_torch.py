"""Jobs whose first model is one of PyTorch."""

import sys
import unittest

import torch
from flare_client.job import FedAvgJob, FedJob, JobError, PTFileModelPersistor, PTModel, ScriptRunner
from flare_client.job.workflows import FedAvg
from flare_client.recipe import FedAvgRecipe, FedEvalRecipe, FedOptRecipe
from job_folders import JobFolders

NET = """
import torch

class Net(torch.nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.layer = torch.nn.Linear(2, width)
        self.norm = torch.nn.BatchNorm1d(width)
"""
LAYOUT = {
    "layer.bias": ("F32", (3,)),
    "layer.weight": ("F32", (3, 2)),
    "norm.bias": ("F32", (3,)),
    "norm.num_batches_tracked": ("I64", ()),
    "norm.running_mean": ("F32", (3,)),
    "norm.running_var": ("F32", (3,)),
    "norm.weight": ("F32", (3,)),
}


class TorchJobs(JobFolders):
    def setUp(self):
        super().setUp()
        self.write("small_net.py", NET)
        self.write("client.py", "from small_net import Net\n")
        sys.path.insert(0, self.folder)
        self.addCleanup(sys.path.remove, self.folder)
        self.addCleanup(lambda: sys.modules.pop("small_net", None))
        from small_net import Net

        self.net = Net()

    def recipe(self, **arguments):
        return FedAvgRecipe(**{"min_clients": 1, "train_script": "client.py", **arguments})

    def test_a_module_is_written_with_its_weights_and_buffers_and_its_code_goes_along(self):
        recipe = self.recipe(model=self.net)
        folder = recipe.export("jobs")
        self.assertEqual(self.model(folder), LAYOUT)
        self.assertEqual(self.files(f"{folder}/app/custom"), ["client.py", "small_net.py"])
        self.assertEqual(self.bytes_of(recipe.export("again")), self.bytes_of(folder))

    def test_a_class_that_is_named_has_the_same_weights_each_time(self):
        named = {"class_path": "small_net.Net", "args": {"width": 3}}
        before = torch.random.get_rng_state()
        first = self.bytes_of(self.recipe(model=named).export("jobs"))
        self.assertTrue(torch.equal(torch.random.get_rng_state(), before))
        torch.rand(3)
        self.assertEqual(self.bytes_of(self.recipe(model=dict(named)).export("jobs")), first)

    def test_files_of_pytorch_are_read_as_weights_alone(self):
        for name, content in (("plain.pt", self.net.state_dict()), ("flare.pth", {"model": self.net.state_dict(), "train_conf": {"a": 1}})):
            torch.save(content, name)
            folder = self.recipe(model={"path": "small_net.Net"}, initial_ckpt=name).export("jobs")
            expected = self.bytes_of(self.recipe(model=self.net).export("others"))
            self.assertEqual(self.bytes_of(folder)["app/initial_model.safetensors"], expected["app/initial_model.safetensors"])
        self.assertEqual(self.model(self.recipe(initial_ckpt="plain.pt").export("jobs")), LAYOUT)
        torch.save(self.net, "whole.pt")
        with self.assertRaisesRegex(JobError, "whole.pt cannot be read as weights alone"):
            self.recipe(initial_ckpt="whole.pt").export("jobs")
        torch.save({"layer.weight": torch.zeros(9)}, "other.pt")
        with self.assertRaisesRegex(JobError, "the weights in other.pt are not those of the model"):
            self.recipe(model=self.net, initial_ckpt="other.pt").export("jobs")

    def test_jobs_and_recipes_of_pytorch_are_written(self):
        job = FedAvgJob(name="api", n_clients=2, num_rounds=3, initial_model=self.net)
        job.to(ScriptRunner("client.py"), "site-1", tasks=["train"])
        folder = job.export_job("jobs")
        self.assertEqual(self.model(folder, "app_server"), LAYOUT)
        arguments = {"num_clients": 2, "num_rounds": 3, "key_metric": "accuracy", "initial_model": "initial_model.safetensors"}
        self.assertEqual(self.workflow(folder, app="app_server")["args"], arguments)
        recipe = FedOptRecipe(model=self.net, min_clients=1, train_script="client.py")
        self.assertEqual(self.workflow(recipe.export("jobs"))["args"]["strategy"], "fed-avg-m")
        torch.save(self.net.state_dict(), "net.pt")
        recipe = FedEvalRecipe(model=self.net, eval_ckpt="net.pt", min_clients=1, eval_script="client.py")
        self.assertEqual(self.workflow(recipe.export("jobs"))["path"], "GlobalModelEval")

    def test_a_model_may_be_a_component_by_its_id(self):
        job = FedJob(name="ids")
        self.assertEqual(job.to_server(PTModel(self.net)), {"persistor_id": "persistor", "locator_id": "locator"})
        job = FedJob(name="ids")
        job.to_server(self.net, id="model")
        job.to_server(PTFileModelPersistor(model="model"))
        job.to_server(FedAvg())
        job.to_clients(ScriptRunner("client.py"))
        self.assertEqual(self.model(job.export_job("jobs")), LAYOUT)


if __name__ == "__main__":
    unittest.main()
