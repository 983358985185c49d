"""Private set intersection: as a recipe, and what asks a class of a job for identifiers."""

import json
import os
import stat
import subprocess
import sys
import unittest

from flare_client.bootstrap import VARIABLE
from flare_client.errors import ClientApiError
from flare_client.job import CsvItems, FedJob, JobError, PSIExecutor
from flare_client.nvflare_jobs import JOB_MODULES
from flare_client.psi import PSI, FilePSIWriter
from flare_client.psi.serve import lines_of
from flare_client.recipe import DhPSIRecipe
from job_folders import JobFolders

#: In the way of FLARE's example of e-mail addresses.
LOCAL_PSI = """
from nvflare.app_common.psi.psi_spec import PSI


class LocalPSI(PSI):
    def __init__(self, data_root_dir: str = "/data", psi_writer_id: str = "psi_writer") -> None:
        super().__init__(psi_writer_id)
        self.data_root_dir = data_root_dir

    def load_items(self):
        print("not an identifier")
        self.log_info(self.fl_ctx, "loading")
        with open(f"{self.data_root_dir}/{self.fl_ctx.get_identity_name()}/items.txt", encoding="utf-8") as file:
            return file.read().splitlines()
"""


class Local(PSI):
    def __init__(self, psi_writer_id="own_writer"):
        super().__init__(psi_writer_id)

    def load_items(self):
        return []


class PrivateSetIntersection(JobFolders):
    def configuration(self, folder, side):
        return self.json(folder, "app", "config", f"config_fed_{side}.json")

    def test_the_job_of_a_table(self):
        folder = DhPSIRecipe(min_clients=3, local_psi=CsvItems("patients", "patient_id", delimiter=";")).export("jobs")
        self.assertEqual(self.json(folder, "meta.json"), {"name": "dh_psi", "deploy_map": {"app": ["@ALL"]}, "min_clients": 3})
        server = self.configuration(folder, "server")
        self.assertEqual(server["workflows"], [{"id": "DhPSIController", "path": "DhPSIController", "args": {}}])
        client = self.configuration(folder, "client")
        executor = {"path": "PSIExecutor", "args": {"psi_algo_id": "dh_psi"}}
        self.assertEqual(client["executors"], [{"tasks": ["PSI"], "executor": executor}])
        items = {"dataset": "patients", "column": "patient_id", "delimiter": ";", "psi_writer_id": "psi_writer"}
        self.assertEqual(
            client["components"],
            [
                {"id": "local_psi", "path": "CsvItems", "args": items},
                {"id": "dh_psi", "path": "DhPSITaskHandler", "args": {"local_psi_id": "local_psi"}},
                {"id": "psi_writer", "path": "FilePSIWriter", "args": {"output_path": "psi/intersection.txt"}},
            ],
        )
        self.assertEqual(self.files(folder), ["app/config/config_fed_client.json", "app/config/config_fed_server.json", "meta.json"])

    def test_a_class_goes_along_with_its_module_and_its_writer(self):
        folder = DhPSIRecipe(name="emails", min_clients=2, local_psi=Local(), output_path="emails.txt").export("jobs")
        components = self.configuration(folder, "client")["components"]
        self.assertEqual(components[0], {"id": "local_psi", "path": "test_psi.Local", "args": {}})
        self.assertEqual(components[2], {"id": "own_writer", "path": "FilePSIWriter", "args": {"output_path": "emails.txt"}})
        self.assertIn("app/custom/test_psi.py", self.files(folder))

    def test_what_is_wrong_is_told(self):
        for given, message in (
            ({"min_clients": 1}, "two sites at least"),
            ({"local_psi": Local}, "an object of a class that derives from PSI"),
            ({"output": "x"}, "output"),
        ):
            with self.subTest(message), self.assertRaisesRegex(JobError, message):
                DhPSIRecipe(**{"min_clients": 2, "local_psi": Local(), **given})
        with self.assertRaisesRegex(JobError, "for the server"):
            from flare_client.job import DhPSIController

            FedJob(name="a").to_clients(DhPSIController())
        with self.assertRaisesRegex(JobError, "psi_algorithm"):
            PSIExecutor("a", psi_algorithm="b")

    def test_flares_names_are_ours(self):
        for module in ("recipes.dh_psi", "dh_psi.dh_psi_controller", "file_psi_writer", "psi_executor"):
            self.assertIn(f"nvflare.app_common.psi.{module}", JOB_MODULES)


class AtTheSite(JobFolders):
    def setUp(self):
        super().setUp()
        self.write("local_psi.py", LOCAL_PSI)
        self.write("data/north/items.txt", "b@x\na@x\n")
        bootstrap = {"protocol_version": 1, "channel": "fd:3", "job_id": "1", "site_name": "north", "datasets": {}}
        self.bootstrap = self.write("bootstrap.json", json.dumps(bootstrap))

    def psi(self, verb, arguments, place, given=b""):
        """Runs the command with a pipe in the place of descriptor 3; gives what came out of it, and what was said."""
        inner, outer = os.pipe()
        if verb == "save":
            os.write(outer, given)
            os.close(outer)
        passed, kept = (outer, inner) if verb == "load" else (inner, None)
        command = [sys.executable, "-m", "flare_client", "psi", verb, "local_psi.LocalPSI", json.dumps(arguments), json.dumps(place)]
        environment = {**os.environ, VARIABLE: self.bootstrap}
        ended = subprocess.run(
            ["/bin/sh", "-c", f'exec "$0" "$@" 3{">&" if verb == "load" else "<&"}{passed}', *command],
            env=environment,
            pass_fds=[passed],
            capture_output=True,
            check=False,
        )
        os.close(passed)
        if kept is None:
            return ended, b""
        with open(kept, "rb") as pipe:
            return ended, pipe.read()

    def test_a_class_of_flares_loads_and_saves_unchanged(self):
        arguments = {"data_root_dir": os.path.join(self.folder, "data")}
        place = {"writers": {"psi_writer": "psi/found.txt"}, "folder": os.path.join(self.folder, "north")}
        ended, items = self.psi("load", arguments, place)
        self.assertEqual((ended.returncode, items), (0, b"b@x\na@x\n"), ended.stderr)
        self.assertIn(b"not an identifier", ended.stdout)
        ended, _ = self.psi("save", arguments, place, "a@x\nZoë\n".encode())
        self.assertEqual(ended.returncode, 0, ended.stderr)
        path = os.path.join(self.folder, "north", "psi", "found.txt")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "a@x\nZoë\n")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

    def test_a_writer_that_is_not_there_is_told_before_anything_is_loaded(self):
        ended, _ = self.psi("load", {"psi_writer_id": "other"}, {"writers": {"psi_writer": "a"}, "folder": self.folder})
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn(b"names the writer 'other', and the job's FilePSIWriters are: psi_writer", ended.stderr)

    def test_identifiers_are_lines_of_text(self):
        self.assertEqual(lines_of(["a", 7]), ["a\n", "7\n"])
        for wrong in (1.5, True, None, "a\nb", "a\r"):
            with self.subTest(wrong), self.assertRaises(ClientApiError):
                lines_of([wrong])

    def test_a_writer_does_not_write_over_what_it_must_not(self):
        writer = FilePSIWriter("a/b.txt", self.folder)
        writer.save(["1"])
        writer.save(["2"])
        with self.assertRaises(FileExistsError):
            writer.save(["3"], overwrite_existing=False)
        with open(writer.get_output_path(), encoding="utf-8") as file:
            self.assertEqual(file.read(), "2\n")


if __name__ == "__main__":
    unittest.main()
