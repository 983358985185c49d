import unittest

import numpy as np
from flare_client import ClientApiError, FLModel
from flare_client.result import check_metrics, check_parts, check_weight, plain_json


class Answers(unittest.TestCase):
    def refused(self, text, call):
        with self.assertRaises(ClientApiError) as caught:
            call()
        self.assertIn(text, str(caught.exception))

    def test_what_is_no_model_is_named(self):
        self.refused("send() takes an FLModel, not a NoneType", lambda: check_parts(None))
        self.refused("send() takes an FLModel, not a dict", lambda: check_parts({}))
        self.refused("params of an FLModel are tensors by name, not a list", lambda: check_parts(FLModel(params=[1.0])))
        self.refused("metrics of an FLModel are numbers by name, not a float", lambda: check_parts(FLModel(metrics=0.5)))

    def test_a_wrong_weight_is_shown_as_it_is(self):
        self.refused("is '7'; give", lambda: check_weight(FLModel(meta={"NUM_STEPS_CURRENT_ROUND": "7"}), 1.0))
        self.refused("is missing; give", lambda: check_weight(FLModel(), None))

    def test_numbers_of_numpy_are_numbers(self):
        self.assertEqual(check_metrics(FLModel(metrics={"a": np.float32(0.5), "b": np.array([2]), "c": np.bool_(True)})), {"a": 0.5, "b": 2, "c": 1})
        plain = plain_json({"done": np.bool_(True), "steps": [np.int64(3), np.array(4)], "rate": np.float32(0.5)})
        self.assertEqual(repr(plain), "{'done': True, 'steps': [3, 4], 'rate': 0.5}")

    def test_what_json_lacks_is_said_with_its_place(self):
        self.refused("meta['run']['loss'] is nan, not a finite number", lambda: plain_json({"run": {"loss": float("nan")}}))
        self.refused("meta['run'] is a set, which", lambda: plain_json({"run": {1}}))


if __name__ == "__main__":
    unittest.main()
