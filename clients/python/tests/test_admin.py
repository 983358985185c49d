"""What an admin's session asks the command ``flare``, and what becomes of its answers."""

import contextlib
import io
import json
import os
import shlex
import sys
import unittest
from unittest import mock

from asked_flare import JOB_ID, AskedFlare, answer, failure
from flare_client import admin
from flare_client.admin import MonitorReturnCode, Session, basic_cb_with_print, new_secure_session
from flare_client.flare_command import FlareCommandError
from flare_client.nvflare_names import MODULES
from flare_client.nvflare_jobs import JOB_MODULES
from flare_client.script_errors import told_error

NAME = "admin@example.org"
FLAGS = ["--connect-timeout", "10.0"]
JOB = {
    "job_id": JOB_ID,
    "name": "hello",
    "study": "default",
    "status": "RUNNING",
    "submitter_name": NAME,
    "submit_time_iso": "2026-01-02T03:04:05.500Z",
    "duration_ms": 61_000,
    "reason": "",
}
META = {**JOB, "start_time_iso": "2026-01-02T03:04:06.000Z", "end_time_iso": None, "sites": ["north", "south"], "progress": {}}
STATUS = {
    "study": "default",
    "server": {"name": "server", "started_at_ms": 1_700_000_000_000},
    "sites": [
        {"name": "north", "state": "connected", "since_ms": 1_700_000_001_000, "jobs": [JOB_ID]},
        {"name": "south", "state": "away", "since_ms": 1_700_000_002_000, "jobs": []},
    ],
    "running_jobs": [JOB_ID],
}


def answers(*data):
    """As ``answer``, where what was asked for is a list."""
    return {**answer(), "data": list(data)}


class AdminSessions(AskedFlare):
    def setUp(self):
        super().setUp()
        self.kit = os.path.join(self.folder, "kit")
        self.write("kit/startup/fed_admin.json", json.dumps({"admin": {"username": NAME, "download_dir": "transfer"}}))

    def session(self, **arguments):
        """A session, and in ``asked`` only what comes after it was opened."""
        self.answers(job_list=[answers()])
        session = new_secure_session(NAME, self.kit, **arguments)
        self.asked()
        return session

    def test_a_session_is_opened_once_the_server_lets_the_admin_in(self):
        self.answers(job_list=[answers()])
        new_secure_session(username=NAME, startup_kit_location="kit", study="lungs", timeout=3, debug=True)
        self.assertEqual(self.asked(), [["job", "list", "--max", "1", "--verbose", "--connect-timeout", "3", "--study", "lungs"]])
        self.assertEqual(self.variables["FLARE_STARTUP_KIT_DIR"], self.kit)
        self.answers(job_list=[failure("auth/not-authorized", "You may not list jobs.", 2)])
        new_secure_session(NAME, self.kit)
        self.answers(job_list=[failure("transfer/unreachable", "It is away.", 2)])
        with self.assertRaisesRegex(ConnectionError, r"It is away. \[transfer/unreachable\]\n  Do this."):
            new_secure_session(NAME, self.kit)

    def test_a_session_needs_the_kit_of_its_admin(self):
        with self.assertRaisesRegex(admin.AuthenticationError, "is that of admin@example.org, not of bob@example.org") as caught:
            new_secure_session("bob@example.org", self.kit)
        self.assertEqual(caught.exception.auth_code, "auth/name-mismatch")
        with self.assertRaisesRegex(admin.InvalidArgumentError, "There is no startup kit in /nowhere."):
            new_secure_session(NAME, "/nowhere")
        with self.assertRaisesRegex(admin.NotHere, "new_secure_session takes the same kit"):
            admin.new_insecure_session(self.kit)

    def test_jobs_are_sent_looked_at_and_ended(self):
        session = self.session()
        os.makedirs(os.path.join(self.kit, "transfer", "later"))
        os.mkdir("now")
        self.answers(
            job_submit=[answer(job_id=JOB_ID)],
            job_clone=[answer(job_id="other")],
            job_meta=[answer(**META)],
            job_abort=[answer(status="FINISHED:ABORTED", was_over=False)],
            job_delete=[answer(job_id=JOB_ID, is_deleted=True)],
            job_download=[answer(dir="/results/it")],
        )
        self.assertEqual([session.submit_job("now", "-7"), session.submit_job("later"), session.clone_job(JOB_ID)], [JOB_ID, JOB_ID, "other"])
        meta = session.get_job_meta(JOB_ID)
        self.assertEqual((meta["submit_time"], meta["duration"], meta["job_clients"]), (1767323045.5, "0:01:01", ["north", "south"]))
        self.assertEqual((meta["start_time"], meta["name"], session.get_job_status(JOB_ID)), (META["start_time_iso"], "hello", "RUNNING"))
        self.assertEqual((session.abort_job(JOB_ID), session.delete_job(JOB_ID)), ("FINISHED:ABORTED", {"job_id": JOB_ID}))
        self.assertEqual([session.download_job_result(JOB_ID), session.download_job_result(JOB_ID, "here")], ["/results/it"] * 2)
        self.assertEqual(
            self.asked(),
            [
                ["job", "submit", "-j", os.path.join(self.folder, "now"), "--submit-token=-7", *FLAGS],
                ["job", "submit", "-j", os.path.join(self.kit, "transfer", "later"), *FLAGS],
                ["job", "clone", JOB_ID, *FLAGS],
                ["job", "meta", JOB_ID, *FLAGS],
                ["job", "meta", JOB_ID, *FLAGS],
                ["job", "abort", JOB_ID, "--force", *FLAGS],
                ["job", "delete", JOB_ID, "--force", *FLAGS],
                ["job", "download", JOB_ID, "-o", os.path.join(self.kit, "transfer"), "--force", *FLAGS],
                ["job", "download", JOB_ID, "-o", os.path.join(self.folder, "here"), "--force", *FLAGS],
            ],
        )

    def test_jobs_are_listed_in_short_or_each_as_a_whole(self):
        session = self.session()
        self.answers(job_list=[answers(JOB)], job_meta=[answer(**META)])
        [short] = session.list_jobs(limit=5, id_prefix="3f", name_prefix="-he", reverse=True, submit_token="x")
        self.assertEqual((short["job_name"], short["submit_time"], short["duration"]), ("hello", JOB["submit_time_iso"], "0:01:01"))
        [whole] = session.list_jobs(True, max_num=1)
        self.assertEqual(whole["job_clients"], ["north", "south"])
        listed, again, _ = self.asked()
        self.assertEqual(listed, ["job", "list", "--max=5", "--id-prefix=3f", "--name-prefix=-he", "--submit-token=x", "--reverse", *FLAGS])
        self.assertEqual(again, ["job", "list", "--max=1", *FLAGS])
        with self.assertRaisesRegex(TypeError, "list_jobs has no argument 'limits'"):
            session.list_jobs(limits=1)

    def test_a_job_is_waited_for_whatever_becomes_of_it(self):
        session = self.session()
        self.answers(job_wait=[failure("cli/job-not-completed", "It was aborted.")], job_meta=[answer(**{**META, "status": "FINISHED:ABORTED"})])
        self.assertEqual(session.wait_for_job(JOB_ID)["status"], "FINISHED:ABORTED")
        self.assertEqual(session.monitor_job(JOB_ID, timeout=7), MonitorReturnCode.JOB_FINISHED)
        waits = [line[2 : -len(FLAGS)] for line in self.asked() if line[1] == "wait"]
        self.assertEqual(waits, [[JOB_ID], [JOB_ID, "--timeout", "7"]])
        self.answers(job_wait=[failure("cli/job-not-over", "It goes on.", 3)])
        with self.assertRaisesRegex(admin.JobTimeout, r"It goes on. \[cli/job-not-over\]"):
            session.wait_for_job(JOB_ID, timeout=1)
        self.assertEqual(session.monitor_job_and_return_job_meta(JOB_ID, 1), (MonitorReturnCode.TIMEOUT, None))
        with self.assertRaisesRegex(ValueError, "'poll_interval' is not above 0"):
            session.wait_for_job(JOB_ID, poll_interval=0)

    def test_whoever_watches_a_job_is_called_until_it_is_over(self):
        session = self.session()
        seen = []

        def watch(of, job_id, meta, *more, end="FINISHED:COMPLETED", **_):
            seen.append((of is session, job_id, meta["status"], more))
            self.answers(job_meta=[answer(**{**META, "status": end})])
            return len(seen) < 4

        self.answers(job_meta=[answer(**META)])
        self.assertEqual(session.monitor_job(JOB_ID, 0, 0.01, watch, "more"), MonitorReturnCode.JOB_FINISHED)
        self.assertEqual(seen, [(True, JOB_ID, status, ("more",)) for status in ("RUNNING", "FINISHED:COMPLETED")])
        self.answers(job_meta=[answer(**META)])
        self.assertEqual(session.monitor_job(JOB_ID, 0.01, 5, watch, end="RUNNING"), MonitorReturnCode.TIMEOUT)
        self.assertEqual(session.monitor_job(JOB_ID, 0, 0.01, cb=watch), MonitorReturnCode.ENDED_BY_CB)
        counter = {"count": 0}
        with contextlib.redirect_stdout(io.StringIO()) as output:
            for _ in range(2):
                self.assertTrue(basic_cb_with_print(session, JOB_ID, META, cb_run_counter=counter))
        self.assertEqual((output.getvalue(), counter["count"]), (f"job {JOB_ID}: RUNNING\n", 2))

    def test_logs_come_by_site_and_say_who_has_none(self):
        session = self.session()
        lines = [{"type": "line", "at_ms": 1, "site": "north", "source": "trainer", "text": text} for text in ("one", "two", "too")]
        self.answers(job_logs=[*lines, answer(job_id=JOB_ID, count=3, lines=[])], job_meta=[answer(**META)])
        told = session.get_job_logs(JOB_ID, "all")
        self.assertEqual(told["logs"], {"north": "one\ntwo\ntoo\n"})
        self.assertEqual(sorted(told["unavailable"]), ["server", "south"])
        self.assertIn("allow_log_streaming", told["unavailable"]["south"])
        self.assertEqual(session.get_job_logs(JOB_ID, "north", tail_lines=2, grep_pattern="w"), {"logs": {"north": "two\n"}})
        self.assertEqual(session.get_job_logs(JOB_ID)["logs"], {})
        self.assertEqual([line[:4] for line in self.asked()][2], ["job", "logs", JOB_ID, "--site=north"])

    def test_the_system_is_told_with_the_names_of_flare(self):
        session = self.session()
        self.answers(
            system_status=[answer(**STATUS)],
            job_list=[answers(JOB)],
            system_version=[answer(sites=[{"site": "server", "version": "1.0"}, {"site": "north", "version": None}])],
            system_resources=[
                answers(
                    {"name": "server", "kind": "server", "outcome": "told", "resources": {"cpus": 2}},
                    {"name": "north", "kind": "client", "outcome": "failed", "message": "It says nothing.", "error_code": "runtime/site-silent"},
                )
            ],
        )
        info = session.get_system_info()
        self.assertEqual((info.server_info.status, info.server_info.start_time), ("started", 1_700_000_000))
        self.assertEqual([(one.name, one.last_connect_time) for one in info.client_info], [("north", 1_700_000_001)])
        self.assertEqual([(one.job_id, one.app_name) for one in info.job_info], [(JOB_ID, "hello")])
        self.assertIn("site north, connected since", str(info))
        self.assertEqual([one.name for one in session.get_connected_client_list()], ["north"])
        told = session.check_status("client", ["north"])
        self.assertEqual((told["client_status"], told["sites"]), ([{"client_name": "north", "job_id": JOB_ID}], STATUS["sites"]))
        self.assertEqual(session.get_client_job_status(), told["client_status"])
        self.assertEqual(session.report_version("all"), {"server": "1.0", "north": None})
        self.assertEqual(session.report_resources("all"), {"server": {"cpus": 2}, "north": "It says nothing. [runtime/site-silent]"})
        asked = [line[:4] for line in self.asked()]
        self.assertEqual(asked[0][:3], ["system", "status", "all"])
        self.assertEqual(asked[3], ["system", "status", "client", "north"])
        self.answers(system_status=[answer(**STATUS)], job_list=[failure("auth/not-authorized", "You may not list jobs.", 2)])
        self.assertEqual([(one.job_id, one.app_name) for one in session.get_system_info().job_info], [(JOB_ID, "")])
        with self.assertRaisesRegex(ValueError, "'target_type' is 'site', and none of all, server, client"):
            session.check_status("site")

    def test_the_system_is_changed_without_a_question(self):
        session = self.session()
        ended = answer(target="client", outcomes=[{"name": "north", "kind": "client", "outcome": "restarted"}], not_connected=[])
        self.answers(
            system_restart=[ended],
            system_shutdown=[ended],
            system_disable=[answer(sites=[{"name": "north", "outcome": "disabled"}])],
            system_enable=[answer(sites=[{"name": "north", "outcome": "enabled"}])],
            system_log=[answers()],
        )
        self.assertEqual(session.restart("client", ["north"], timeout=5)["status"], "ok")
        session.shutdown("server", ["ignored"], wait=False)
        session.shutdown_system()
        self.assertEqual([session.disable_client("north")["outcome"], session.enable_client("north")["outcome"]], ["disabled", "enabled"])
        session.configure_site_log("debug", "north")
        self.assertEqual(
            [line[1 : -len(FLAGS)] for line in self.asked()],
            [
                ["restart", "client", "north", "--force", "--timeout", "5"],
                ["shutdown", "server", "--force", "--no-wait"],
                ["shutdown", "all", "--force", "--timeout", "30.0"],
                ["disable-client", "north", "--force"],
                ["enable-client", "north", "--force"],
                ["log-config", "debug", "--site", "north"],
            ],
        )
        self.answers(system_restart=[answer(target="client", outcomes=[], not_connected=[])])
        with self.assertRaises(admin.NoClientsAvailable):
            session.restart("client")
        for mistake in (lambda: session.disable_client("--force"), lambda: session.restart("client", ["-x"])):
            with self.assertRaisesRegex(admin.InvalidArgumentError, "and must be a name"):
                mistake()

    def test_studies_are_no_matter_of_the_study_of_the_session(self):
        session = self.session(study="lungs")
        self.answers(study=[answer(name="hearts", sites=["north"])])
        self.assertEqual(session.register_study("hearts", sites=["north", "south"])["sites"], ["north"])
        session.add_study_site("hearts", site_orgs=["a:north", "b:south"])
        session.remove_study_site("hearts", sites=["north"])
        session.add_study_user("hearts", "ann@example.org")
        session.remove_study_user("hearts", "ann@example.org")
        session.show_study("hearts")
        session.list_studies()
        session.remove_study("hearts")
        self.assertEqual(
            [line[1 : -len(FLAGS)] for line in self.asked()],
            [
                ["register", "hearts", "--sites", "north", "south"],
                ["add-site", "hearts", "--site-org=a:north", "--site-org=b:south"],
                ["remove-site", "hearts", "--sites", "north"],
                ["add-user", "hearts", "ann@example.org"],
                ["remove-user", "hearts", "ann@example.org"],
                ["show", "hearts"],
                ["list"],
                ["remove", "hearts", "--force"],
            ],
        )
        with self.assertRaisesRegex(admin.InvalidArgumentError, "Give either 'sites' or 'site_orgs'"):
            session.register_study("hearts")

    def test_an_error_is_the_one_of_flare_with_our_words(self):
        session = self.session()
        for code, kind in (
            ("job/not-found", admin.JobNotFound),
            ("job/not-over", admin.JobNotDone),
            ("auth/not-authorized", admin.AuthorizationError),
            ("auth/certificate-expired", admin.AuthenticationError),
            ("cli/invalid-arguments", admin.InvalidArgumentError),
            ("transfer/proxy-failed", admin.NoConnection),
            ("runtime/site-unknown", admin.InvalidTarget),
            ("internal/bug", admin.InternalError),
            ("cli/not-everywhere", admin.CommandError),
        ):
            self.answers(job_delete=[failure(code, "No.", 4, facts={"a": 1})])
            with self.assertRaises(FlareCommandError) as caught:
                session.delete_job(JOB_ID)
            error = caught.exception
            self.assertIs(type(error), kind)
            self.assertEqual((error.error_code, error.message, error.hint, error.facts, error.exit_code), (code, "No.", "Do this.", {"a": 1}, 4))
            line, status = told_error(error)
            self.assertIn(f"No. [{code}]", line)
            self.assertEqual(status, 4)
        with self.assertRaisesRegex(admin.JobNotFound, "'' is not the id of a job"):
            session.get_job_meta("")
        with self.assertRaisesRegex(admin.InvalidJobDefinition, r"There is no folder nowhere. \[job/invalid\]"):
            session.submit_job("nowhere")

    def test_what_is_not_here_says_what_there_is(self):
        session = self.session()
        for asked, instead in (
            (lambda: session.ls_target("north"), "get_job_logs has what its jobs print"),
            (lambda: session.remove_client("north"), "disable_client"),
            (lambda: session.show_stats(JOB_ID, "server"), "get_job_meta"),
            (lambda: session.get_job_logs(JOB_ID, log_file_name="error_log.txt"), "there is one log"),
        ):
            with self.assertRaisesRegex(NotImplementedError, r" is not here: |has no \w+ here: ") as caught:
                asked()
            self.assertIn(instead, str(caught.exception))
        with self.assertRaisesRegex(AttributeError, "Session has no submit_jobs; did you mean submit_job?"):
            session.submit_jobs("job")

    def test_a_session_that_is_closed_does_nothing(self):
        session = self.session()
        session.close()
        session.close()
        with self.assertRaisesRegex(admin.SessionClosed, "The session is closed"):
            session.list_jobs()

    def test_a_method_may_be_given_a_time(self):
        session = self.session(command_timeout=0.5)
        command = shlex.join([sys.executable, "-c", "import time; time.sleep(60)"])
        with mock.patch.dict(os.environ, {"FLARE_COMMAND": command}):
            with self.assertRaisesRegex(admin.NoReply, r"flare job meta was stopped after 0.5 s. \[flare/timeout\]"):
                session.get_job_meta(JOB_ID)
        session.unset_timeout()
        self.answers(job_meta=[answer(**META)])
        self.assertEqual(session.get_job_status(JOB_ID), "RUNNING")
        with self.assertRaisesRegex(admin.InvalidArgumentError, "must be a positive number"):
            session.set_timeout(0)

    def test_the_names_of_flare_are_all_there(self):
        for module in ("nvflare.fuel.flare_api.flare_api", "nvflare.fuel.flare_api.api_spec"):
            source, names = JOB_MODULES[module]
            self.assertIn(module, MODULES)
            self.assertEqual(source, "flare_client.admin")
            self.assertEqual([name for name in names.values() if not hasattr(admin, name)], [])
        self.assertIs(getattr(admin, JOB_MODULES["nvflare.fuel.flare_api.api_spec"][1]["SessionSpec"]), Session)


if __name__ == "__main__":
    unittest.main()
