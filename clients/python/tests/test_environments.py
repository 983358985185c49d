"""What environments ask the command ``flare``, and what becomes of its answers."""

import contextlib
import io
import os
import shlex
import signal
import subprocess
import sys
import unittest
from unittest import mock

from asked_flare import JOB_ID, AskedFlare, answer, failure
from flare_client.job import FedAvg, FedJob, JobError, NPModelPersistor, ScriptRunner
from flare_client.recipe import FlareCommandError, NumpyFedAvgRecipe, PocEnv, ProdEnv, SimEnv, sim_env

COMPLETED = answer(job_id=JOB_ID, status="FINISHED:COMPLETED")


class Environments(AskedFlare):
    def recipe(self, **arguments):
        return NumpyFedAvgRecipe(name="mine", model=[1.0], min_clients=2, train_script="client.py", **arguments)

    def printing(self):
        return contextlib.redirect_stdout(io.StringIO())

    def test_a_simulation_is_run_and_shown(self):
        self.answers(
            simulator=[
                {"type": "starting", "workspace": "w", "sites": ["a", "b"]},
                {"type": "note", "text": "a note"},
                {"jobId": JOB_ID, "event": {"type": "round-opened", "round": 1, "evaluates": "site-1"}},
                {"jobId": JOB_ID, "event": {"type": "update-accepted"}},
                {"jobId": JOB_ID, "event": {"type": "round-closed", "round": 1, "metrics": {"b": 0.5, "a": 2}, "contributors": ["a"], "missing": ["b"]}},
                {"jobId": JOB_ID, "event": {"type": "job-ended", "status": "FINISHED:COMPLETED", "reason": "done"}},
                COMPLETED,
            ]
        )
        with self.printing() as output:
            run = self.recipe().execute(SimEnv(clients=["a", "b"], gpu_config="0,1", log_config="debug", workspace_root="root"))
        lines = ["2 sites start in w", "a note", "round 1  model of site-1  a 2  b 0.5  1 answers  missing: b", "job ended: FINISHED:COMPLETED (done)"]
        self.assertEqual(output.getvalue().splitlines(), lines)
        [[verb, folder, *arguments]] = self.asked()
        self.assertEqual((verb, os.path.basename(folder)), ("simulator", "mine"))
        workspace = os.path.join(self.folder, "root", "mine")
        self.assertEqual(arguments, ["-w", workspace, "--stop-with-input", "-c", "a,b", "--gpu", "0,1", "-l", "debug"])
        self.assertEqual(self.variables["FLARE_PYTHON"], sys.executable)
        self.assertEqual((run.get_job_id(), run.get_status(), run.get_result()), ("mine", "FINISHED:COMPLETED", workspace))

    def test_sites_of_the_job_are_those_of_the_simulation(self):
        self.answers(simulator=[COMPLETED])
        recipe = self.recipe()
        recipe.set_per_site_config({"north": {}, "south": {}})
        recipe.execute(SimEnv(num_clients=2, workspace_root="root"))
        self.assertIn("north,south", self.asked()[0])
        with self.assertRaisesRegex(JobError, "'num_clients' of SimEnv is 3, and the job names 2 sites: north, south"):
            recipe.execute(SimEnv(num_clients=3, workspace_root="root"))

    def test_a_job_that_is_put_together_is_simulated_too(self):
        self.answers(simulator=[COMPLETED])
        job = FedJob(name="api")
        job.to_server(FedAvg())
        job.to_server(NPModelPersistor())
        job.to_clients(ScriptRunner("client.py"))
        self.assertEqual(job.simulator_run("w", n_clients=2, threads=1, gpu="0"), 0)
        [[_, _, *arguments]] = self.asked()
        self.assertEqual(arguments, ["-w", os.path.join(self.folder, "w"), "--stop-with-input", "-n", "2", "-t", "1", "--gpu", "0"])

    def test_the_folder_that_everybody_may_make_must_be_ones_own(self):
        with mock.patch.object(sim_env, "DEFAULT_ROOT", os.path.join(self.folder, "shared", "simulation")):
            os.mkdir("real")
            os.symlink(os.path.join(self.folder, "real"), "shared")
            with self.assertRaisesRegex(JobError, "shared belongs to somebody else; give SimEnv a 'workspace_root' of your own"):
                self.recipe().execute(SimEnv(num_clients=2, workspace_root=sim_env.DEFAULT_ROOT))

    def test_an_error_of_the_command_has_its_code_and_its_words(self):
        problem = {"file": "meta.json", "line": 3, "column": 5, "message": "unknown key"}
        self.answers(simulator=[failure("job/invalid", "The job has a mistake.", 4, problems=[problem], facts={"a": 1})])
        with self.assertRaises(FlareCommandError) as caught:
            self.recipe().execute(SimEnv(num_clients=2, workspace_root="root"))
        error = caught.exception
        self.assertEqual((error.code, error.exit_code, error.facts), ("job/invalid", 4, {"a": 1}))
        self.assertEqual(str(error), "The job has a mistake. [job/invalid]\n  meta.json:3:5: unknown key\n  Do this.")
        self.answers(simulator=["no answer"])
        with self.assertRaisesRegex(FlareCommandError, r"flare simulator ended with 3 and no answer. \[flare/no-answer\]"):
            self.recipe().execute(SimEnv(num_clients=2, workspace_root="root"))
        for variables in ({"FLARE_COMMAND": "/nowhere/flare"}, {"FLARE_COMMAND": "", "PATH": "/nowhere"}):
            with mock.patch.dict(os.environ, variables), self.assertRaisesRegex(FlareCommandError, r"\[flare/not-found\]"):
                self.recipe().execute(SimEnv(num_clients=2, workspace_root="root"))

    def test_a_signal_ends_the_command_first(self):
        # It may come while the command still says something, or when it has closed its output and has not ended.
        for before in ("", "os.close(1); "):
            # Below Python's files: the one that says that it is ready may not be done with it.
            said = "os.write(2, b'ended\\n')"
            command = f"import os, signal, sys, time; {before}signal.signal(signal.SIGTERM, lambda *_: ({said}, os._exit(9)))"
            command += "; print('ready', file=sys.stderr, flush=True); time.sleep(60)"
            variables = {**os.environ, "FLARE_COMMAND": shlex.join([sys.executable, "-c", command])}
            script = "from flare_client.flare_command import run_flare; run_flare('simulator')"
            with subprocess.Popen([sys.executable, "-c", script], env=variables, stderr=subprocess.PIPE, text=True) as process:
                self.assertEqual(process.stderr.readline(), "ready\n")
                process.terminate()
                self.assertEqual((process.stderr.read(), process.wait()), ("ended\n", 143))

    def test_a_simulation_ends_with_a_script_that_is_killed(self):
        command = "import sys; print('ready', file=sys.stderr, flush=True); sys.stdin.read(); print('ended', file=sys.stderr)"
        variables = {**os.environ, "FLARE_COMMAND": shlex.join([sys.executable, "-c", command])}
        script = "from flare_client.simulator import simulate; simulate('job', 'workspace')"
        # The end of what both say is that of the command.
        pipes = {"stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen([sys.executable, "-c", script], env=variables, **pipes) as process:
            self.assertEqual(process.stderr.readline(), "ready\n")
            process.kill()
            self.assertEqual((process.stderr.read(), process.wait()), ("ended\n", -signal.SIGKILL))

    def test_a_federation_of_others_is_asked_with_the_kit(self):
        self.answers(
            job_submit=[answer(job_id=JOB_ID)],
            job_meta=[answer(status="RUNNING")],
            job_wait=[failure("cli/job-not-over", "It goes on.", 3)],
            job_monitor=[COMPLETED],
            job_download=[answer(dir="/results/it")],
            job_abort=[answer(status="FINISHED:ABORTED")],
        )
        os.mkdir("kit")
        with self.printing():
            run = self.recipe().execute(ProdEnv("kit", login_timeout=7.0, study="lungs", extra={"results": "mine"}))
            self.assertEqual(run.get_status(), "RUNNING")
            self.assertIsNone(run.get_result(timeout=2))
            run.abort()
            self.assertEqual(run.get_result(), "/results/it")
            run.abort()
        flags = ["--connect-timeout", "7.0", "--study", "lungs"]
        submit, *others = self.asked()
        self.assertEqual((submit[:3], submit[4:]), (["job", "submit", "-j"], flags))
        self.assertEqual(
            others,
            [
                ["job", "meta", JOB_ID, *flags],
                ["job", "wait", JOB_ID, "--timeout", "2", *flags],
                ["job", "abort", JOB_ID, "--force", *flags],
                ["job", "monitor", JOB_ID, *flags],
                ["job", "download", JOB_ID, "-o", os.path.join(self.folder, "mine"), "--force", *flags],
                ["job", "meta", JOB_ID, *flags],
            ],
        )
        self.assertEqual(self.variables["FLARE_STARTUP_KIT_DIR"], os.path.join(self.folder, "kit"))

    def test_a_federation_on_this_machine_is_made_and_removed(self):
        self.answers(
            poc_status=[failure("poc/not-prepared", "There is none.")],
            poc_prepare=[answer(admin={"kit": "kit"})],
            poc=[answer()],
            job_submit=[answer(job_id=JOB_ID)],
            job_monitor=[COMPLETED],
            job_download=[answer(dir="/results/it")],
            job_meta=[answer(status="FINISHED:COMPLETED")],
        )
        with self.printing():
            run = self.recipe().execute(PocEnv(num_clients=3))
            self.assertEqual(run.get_result(), "/results/it")
        self.assertEqual(run.get_status(), "FINISHED:COMPLETED")
        verbs = [" ".join(line[:2]) for line in self.asked()]
        self.assertEqual(verbs[:4], ["poc status", "poc prepare", "poc start", "job submit"])
        self.assertEqual(verbs[-2:], ["poc stop", "poc clean"])

    def test_a_federation_that_is_there_is_used_if_it_has_the_sites_and_left_as_it_is(self):
        services = [{"name": name, "kind": "server" if name == "server" else "client"} for name in ("server", "site-1", "site-2")]
        self.answers(
            poc_status=[answer(folder="/poc", services=services, admin={"kit": "kit"})],
            poc_start=[answer()],
            job_submit=[answer(job_id=JOB_ID)],
            job_monitor=[failure("cli/job-not-completed", "It was aborted.")],
        )
        with self.printing():
            run = self.recipe().execute(PocEnv())
            with self.assertRaisesRegex(FlareCommandError, r"It was aborted. \[cli/job-not-completed\]"):
                run.get_result()
        self.assertEqual([" ".join(line[:2]) for line in self.asked()], ["poc status", "poc start", "job submit", "job monitor"])
        with self.assertRaisesRegex(JobError, "/poc holds a federation of site-1, site-2, not of a, b; `flare poc clean --force`"):
            self.recipe().execute(PocEnv(clients=["a", "b"]))

    def test_what_environments_cannot_do_is_refused(self):
        for refused, why in (
            (lambda: SimEnv(), "give 'num_clients', 1 at least"),
            (lambda: SimEnv(num_clients=3, clients=["a"]), "'num_clients' is 3, and 'clients' names 1 sites"),
            (lambda: PocEnv(use_he=True), "homomorphic encryption is not here"),
            (lambda: PocEnv(num_client=3), "PocEnv has no argument 'num_client'; did you mean 'num_clients'?"),
            (lambda: ProdEnv("/nowhere"), "there is no startup kit in /nowhere"),
        ):
            with self.assertRaises(JobError) as caught:
                refused()
            self.assertIn(why, str(caught.exception))


if __name__ == "__main__":
    unittest.main()
