import textwrap
import unittest

import numpy as np
from flare_client.tensors import to_own
from job_process import JobProcess


class Decorators(unittest.TestCase):
    def test_metrics_of_the_received_model_are_sent_with_what_training_returns(self):
        # As a script of NVIDIA FLARE's calls such functions: with the model, which they get anyway, or without.
        script = textwrap.dedent(
            """
            import nvflare.client as flare

            @flare.evaluate
            def assess(model=None, share=1.0):
                return {"accuracy": float(model.params["w"][0]) * share}

            @flare.train
            def train(model=None, step=1, samples=1):
                params = {"w": model.params["w"] + step}
                return flare.FLModel(params=params, metrics={"loss": 9}, meta={"NUM_STEPS_CURRENT_ROUND": samples})

            flare.init()
            while flare.is_running():
                received = flare.receive()
                assess(received, share=0.5)
                train(received, 2, samples=3) if received.current_round == 0 else train(model=received)
            """
        )
        job = JobProcess(script)
        job.greet()
        for number, expected in ((0, ([10.0], {"accuracy": 4.0}, 3.0)), (1, ([9.0], {"accuracy": 4.0}, 1.0))):
            job.task({"w": np.float32([8])}, number, f"task-{number}")
            result = job.result()
            self.assertEqual((to_own(result["tensors"]["w"]).tolist(), result["metrics"], result["weight"]), expected)
            job.accept(result)
        self.assertEqual(job.stop(), (0, ""))

    def test_one_number_is_a_metric_of_that_name(self):
        script = textwrap.dedent(
            """
            import flare_client as flare
            flare.init()
            flare.evaluate(lambda model: 0.5)()
            flare.train(lambda model: flare.FLModel(params=model.params, meta={"NUM_STEPS_CURRENT_ROUND": 1}))()
            """
        )
        job = JobProcess(script)
        job.greet()
        job.task({"w": np.float32([8])})
        self.assertEqual(job.result()["metrics"], {"metric": 0.5})
        job.stop()


if __name__ == "__main__":
    unittest.main()
