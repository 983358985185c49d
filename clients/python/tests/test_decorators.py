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

    EVALUATED = textwrap.dedent(
        """
        import flare_client as flare

        @flare.evaluate
        def assess(model):
            print("assessed", model.current_round)
            return {"accuracy": float(model.params["w"][0])}

        @flare.train
        def train(model):
            print("trained", model.current_round)
            return flare.FLModel(params=model.params, meta={"NUM_STEPS_CURRENT_ROUND": 3})

        flare.init()
        """
    )

    def answers(self, loop, *names):
        """What a script answers to tasks of these names, and what it prints."""
        job = JobProcess(self.EVALUATED + textwrap.dedent(loop))
        job.greet()
        answers = []
        for number, name in enumerate(names):
            job.task({"w": np.float32([number])}, number, f"task-{number}", task_name=name)
            result = job.result()
            answers.append((result["task_id"], list(result["tensors"]), result["metrics"], result["weight"]))
            job.accept(result)
        status, output = job.stop()
        self.assertEqual(status, 0)
        return answers, output

    def test_an_evaluation_is_answered_with_what_evaluate_returns_and_nothing_is_trained_for_it(self):
        loops = (
            "while flare.is_running():\n    model = flare.receive()\n    assess(model)\n    train(model)\n",
            "while flare.is_running():\n    assess()\n    if flare.is_train():\n        train()\n",
            "while True:\n    model = flare.receive()\n    if model is None:\n        break\n    assess(model)\n    if flare.is_train():\n        train()\n",
        )
        for loop in loops:
            with self.subTest(loop):
                answers, output = self.answers(loop, "validate", "train", "validate")
                self.assertEqual(
                    answers,
                    [
                        ("task-0", [], {"accuracy": 0.0}, 1.0),
                        ("task-1", ["w"], {"accuracy": 1.0}, 3.0),
                        ("task-2", [], {"accuracy": 2.0}, 1.0),
                    ],
                )
                self.assertEqual(output, "assessed 0\nassessed 1\ntrained 1\nassessed 2\n")

    def test_an_answer_of_the_scripts_own_goes_before_what_evaluate_returned(self):
        loop = "while flare.is_running():\n    accuracy = assess()['accuracy']\n    flare.send(flare.FLModel(metrics={'mine': accuracy + 1}))\n"
        answers, _ = self.answers(loop, "validate", "validate")
        self.assertEqual([metrics for _, _, metrics, _ in answers], [{"mine": 1.0}, {"mine": 2.0}])


if __name__ == "__main__":
    unittest.main()
