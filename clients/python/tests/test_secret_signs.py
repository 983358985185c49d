"""What looks like a secret is told before it goes to everybody, and how a job names one that sites keep."""

import unittest

from flare_client.job import JobError, ScriptRunner
from flare_client.job.object_by_name import arguments_of
from flare_client.job.secret_signs import _tell
from flare_client.recipe import FedStatsRecipe, NumpyFedAvgRecipe
from flare_client.statistics import CsvStatistics
from flare_client.statistics.df_statistics import DFStatisticsCore
from job_folders import JobFolders, told

HUB = "hf_" + "Ab3" * 11


class Database(DFStatisticsCore):
    def __init__(self, address, login):
        super().__init__()
        self.address = address
        self.login = login


class Secrets(JobFolders):
    def setUp(self):
        super().setUp()
        _tell.cache_clear()

    def lines(self, make):
        with told() as output:
            make()
        return [line.split(" is in ")[1].split(" characters")[0] for line in output.getvalue().splitlines()]

    def test_are_told_by_their_place_and_never_by_what_they_are(self):
        for arguments, places in (
            ("--api-key s3cret-value --lr 0.1", ["the arguments of client.py (the value of --api-key), 12"]),
            ("--wandb_key=0123456789abcdef", ["the arguments of client.py (the value of --wandb_key), 16"]),
            (["HF_TOKEN=" + HUB], ["the arguments of client.py (the value of HF_TOKEN), 36"]),
            (f"--login {HUB}", ["the arguments of client.py, 36"]),
            ("--data https://me:mine@host/table", ["the arguments of client.py, 26"]),
            # Where it is, a number, a part of a longer name, too short, and what a tokenizer has.
            ("--token-file /run/secrets/hub --token $HUB_TOKEN --max-token 12345678 --tokenizer bert-base-cased", []),
            ("--password short --pad_token [PADDING] --token --verbose", []),
        ):
            _tell.cache_clear()
            self.assertEqual(self.lines(lambda: ScriptRunner("client.py", arguments)), places)
        with told() as output:
            ScriptRunner("client.py", f"--token {HUB}")
        self.assertNotIn(HUB, output.getvalue())

    def test_are_told_once_and_of_everything_that_a_job_hands_on(self):
        def make():
            for _ in range(2):
                ScriptRunner("client.py", "--token " + "a1" * 5, env={"TOKEN": "b2" * 5, "HUB": {"from_secret": "hub"}})

        self.assertEqual(self.lines(make), ["the arguments of client.py (the value of --token), 10", "'env' of client.py['TOKEN'], 10"])
        made = Database("postgres://me:mine@host/table", [{"user": "me", "password": "c3c3c3c3c3"}])
        places = ["the arguments of Database['address'], 29", "the arguments of Database['login'][0]['password'], 10"]
        self.assertEqual(self.lines(lambda: arguments_of(made)), places)

    def test_that_sites_keep_are_named_by_env(self):
        recipe = NumpyFedAvgRecipe(model=[1.0], min_clients=1, train_script="client.py")
        env = {"HF_TOKEN": {"from_secret": "hub"}}
        recipe.set_client_env(env)
        recipe.set_per_site_config({"north": {}, "south": {"env": {"HF_TOKEN": {"from_secret": "other"}}}})
        with told() as output:
            folder = recipe.export("jobs")
        self.assertEqual(output.getvalue(), "")
        self.assertEqual(self.executor(folder, "app_north")["env"], env)
        self.assertEqual(self.executor(folder, "app_south")["env"], {"HF_TOKEN": {"from_secret": "other"}})
        for late in (recipe, FedStatsRecipe("stats", "statistics/a.json", ["north"], {"count": {}}, CsvStatistics())):
            with self.assertRaisesRegex(JobError, "'env' is given before anything is added to sites"):
                late.set_client_env(env)


if __name__ == "__main__":
    unittest.main()
