"""Scripts that start processes of their own, and tasks that are cancelled while a script has them."""

import os
import socket
import sys
import tempfile
import textwrap
import threading
import time
import unittest

import numpy as np
from flare_client.channel import LineChannel
from flare_client.safetensors import write_safetensors
from flare_client.session import ClientSession
from flare_client.tensors import raw_tensors
from job_process import JobProcess

ANSWER = "flare.send(flare.FLModel(params=model.params, meta={'NUM_STEPS_CURRENT_ROUND': 1}))\n"


class ForkedProcesses(unittest.TestCase):
    def test_a_forked_process_that_ends_leaves_the_session_open(self):
        script = textwrap.dedent(
            """
            import os, sys
            import flare_client as flare
            flare.init()
            model = flare.receive()
            child = os.fork()
            if child == 0:
                flare.log("loss", 0.5)
                # Runs what is registered for the end of a process.
                sys.exit(0)
            os.waitpid(child, 0)
            """
        )
        job = JobProcess(script + ANSWER + "print('sent')\n")
        job.greet()
        job.task({"w": np.float32([1])})
        result = job.result()
        self.assertEqual(result["type"], "result")
        self.assertEqual([log["value"] for log in result["logs"]], [0.5])
        job.accept(result)
        self.assertEqual(job.stop(), (0, "sent\n"))

    def test_a_forked_process_that_asks_for_a_model_gets_an_error_instead_of_waiting_for_ever(self):
        script = textwrap.dedent(
            """
            import os
            import flare_client as flare
            flare.init()
            child = os.fork()
            if child == 0:
                for call in (flare.is_running, flare.receive, lambda: flare.send(flare.FLModel(params={}))):
                    try:
                        call()
                    except flare.ClientApiError as error:
                        print(error.code, flush=True)
                os._exit(0)
            os.waitpid(child, 0)
            """
        )
        job = JobProcess(script)
        job.greet()
        self.assertEqual(job.end(), (0, "client-api/no-task\n" * 3))

    def test_a_script_for_flare_may_start_processes_that_import_it_anew(self):
        script = textwrap.dedent(
            """
            import multiprocessing
            import nvflare.client as flare
            from nvflare.app_common.np.constants import NPConstants

            def name(_):
                return NPConstants.NUMPY_KEY

            if __name__ == "__main__":
                flare.init()
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    print(pool.map(name, [0]))
            """
        )
        job = JobProcess(script)
        job.greet()
        self.assertEqual(job.end(), (0, "['numpy_key']\n"))

    def test_what_a_launcher_starts_is_known_as_its_sites(self):
        # A site ends what is left of a trainer by the name of its bootstrap file, which a launcher's processes do not have.
        script = "import os, flare_client as flare\nflare.init()\nprint(os.environ['FLARE_CLIENT_API_LAUNCHER_BOOTSTRAP'])\n"
        job = JobProcess(script, command=["-m", "flare_client", "launch", sys.executable])
        job.greet()
        expected = job.path("bootstrap.json")
        self.assertEqual(job.stop(), (0, f"{expected}\n"))


class CancelledTasks(unittest.TestCase):
    def test_a_model_that_went_with_its_task_is_passed_over(self):
        job = JobProcess("import flare_client as flare\nflare.init()\nmodel = flare.receive()\n" + ANSWER)
        job.greet()
        job.task({"w": np.float32([1])}, 0, "first", is_gone=True)
        # The word on it may come later than the script asks.
        time.sleep(0.1)
        job.send(type="cancel", task_id="first")
        job.task({"w": np.float32([2])}, 1, "second")
        result = job.result()
        self.assertEqual(result["task_id"], "second")
        job.accept(result)
        self.assertEqual(job.stop(), (0, ""))

    def test_a_model_that_is_cancelled_as_it_comes_is_not_the_end_of_the_job(self):
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        channel = LineChannel(theirs)
        self.addCleanup(channel._reader.close)
        session = ClientSession(channel)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "model.safetensors")
        write_safetensors(path, raw_tensors({"w": np.float32([1])}).items())
        session._tasks = [{"task_id": "first", "model_path": path}]

        class CancelledWhenTheLockIsFree(threading.Condition):
            def __exit__(self, *error):
                super().__exit__(*error)
                if session._tasks and not self._is_owned():
                    session._take({"type": "cancel", "task_id": "first"})

        session._changed = CancelledWhenTheLockIsFree()
        self.assertEqual(session.next_task(0)["task_id"], "first")

    def test_a_model_that_goes_while_the_script_has_it_ends_nothing(self):
        script = textwrap.dedent(
            """
            import os, sys, time
            import flare_client as flare

            def wait_for(name):
                flare.log(name, 1)
                while not os.path.exists(os.path.join(os.path.dirname(sys.argv[0]), name)):
                    time.sleep(0.01)

            flare.init()
            assert flare.is_running()
            wait_for("asked")
            model = flare.receive()
            wait_for("received")
            flare.send(flare.FLModel(params=model.params, meta={"NUM_STEPS_CURRENT_ROUND": 1}))
            flare.receive()
            wait_for("next")
            """
        )
        job = JobProcess(script, transfer="DIFF")
        job.greet()
        job.task({"w": np.float32([1])}, 0, "first")
        self.assertEqual(job.receive()["key"], "asked")
        os.remove(job.path("model-0.safetensors"))
        job.touch("asked")
        self.assertEqual(job.receive()["key"], "received")
        job.send(type="cancel", task_id="first")
        job.touch("received")
        result = job.result()
        self.assertEqual((result["task_id"], result["params_type"]), ("first", "DIFF"))
        job.send(type="result_ack", task_id="first", accepted=False)
        job.task({"w": np.float32([2])}, 1, "second")
        self.assertEqual(job.receive()["key"], "next")
        job.touch("next")
        self.assertEqual(job.stop(), (0, ""))


if __name__ == "__main__":
    unittest.main()
