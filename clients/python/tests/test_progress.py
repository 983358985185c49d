import signal
import textwrap
import unittest

import numpy as np
from job_process import JobProcess
from test_session import LOOP


class Progress(unittest.TestCase):
    def trainer(self, body: str) -> JobProcess:
        script = "import flare_client as flare, threading, time, sys\nflare.init()\nmodel = flare.receive()\n" + textwrap.dedent(body)
        job = JobProcess(script)
        self.hello = job.greet(heartbeat_seconds=0.1)
        job.task({"w": np.zeros(1, dtype=np.float32)})
        return job

    def test_heartbeats_say_whether_the_training_moves(self):
        for body, moves in (("threading.Event().wait()", False), ("while True: pass", True), ("import zlib\nwhile True: zlib.crc32(b'a' * 2**22)", True)):
            with self.subTest(body):
                job = self.trainer(body)
                # What the start has used is in the first ones; on a busy machine a single later one may be wrong about a trainer that waits.
                heard = [job.heartbeat() for _ in range(12)]
                while not moves and any(heard[-5:]) and len(heard) < 100:
                    heard.append(job.heartbeat())
                self.assertEqual(any(heard[-5:]), moves, heard)
                job.process.kill()
                job.end()

    def test_a_process_that_the_script_has_started_counts(self):
        job = self.trainer("import subprocess\nsubprocess.run([sys.executable, '-c', 'while True: pass'], timeout=3)")
        self.assertTrue(any([job.heartbeat() for _ in range(15)][-5:]))
        job.end()

    def test_hello_says_how_to_ask_for_stacks_and_a_script_that_uses_the_signal_keeps_it(self):
        job = self.trainer("def at_work():\n    threading.Event().wait()\nat_work()")
        self.assertEqual((self.hello["heartbeats"], self.hello["stack_signal"]), (True, "SIGUSR1"))
        while job.heartbeat():
            pass
        job.process.send_signal(signal.SIGUSR1)
        while "at_work" not in job.process.stdout.readline():
            pass
        job.process.kill()
        job.end()
        own = JobProcess("import signal\nsignal.signal(signal.SIGUSR1, lambda *_: None)\nimport flare_client as flare\nflare.init()\n")
        self.assertNotIn("stack_signal", own.greet())
        own.stop()

    def test_progress_is_told_with_its_numbers(self):
        job = self.trainer("flare.progress(1, total=np_four, note='epoch 1')\nflare.progress()".replace("np_four", "__import__('numpy').int64(4)"))
        self.assertEqual(job.receive(), {"type": "progress", "done": 1.0, "total": 4.0, "note": "epoch 1"})
        self.assertEqual(job.receive(), {"type": "progress"})
        job.stop()
        wrong = self.trainer("flare.progress(-1)")
        status, output = wrong.end()
        self.assertEqual(status, 1)
        self.assertIn("not negative", output)

    def test_names_of_tasks_and_garbage_are_the_jobs(self):
        script = LOOP.replace(
            "    flare.log", "    print(flare.is_evaluate(), flare.is_submit_model(), len(gone))\n    flare.log"
        ).replace("flare.init()", "import gc\ngone = []\ngc.callbacks.append(lambda phase, info: info['generation'] == 2 and phase == 'stop' and gone.append(1))\ngc.disable()\nflare.init()")
        job = JobProcess(script)
        job.greet(evaluate_task_names=[], submit_model_task_names=["train"], memory_gc_rounds=2)
        for number in range(3):
            job.task({"w": np.zeros(1, dtype=np.float32)}, number, f"task-{number}")
            job.accept(job.result())
        self.assertEqual(job.stop(), (0, "False True 0\nFalse True 0\nFalse True 1\nover\n"))


if __name__ == "__main__":
    unittest.main()
