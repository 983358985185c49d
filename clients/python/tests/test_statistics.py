"""Statistics of a site: what it is asked, and what it answers."""

import json
import os
import tempfile
import textwrap
import unittest

import numpy as np
from flare_client.secure_logging import secure_format_exception, secure_log_traceback
from flare_client.statistics import CsvStatistics, DataType, Feature, Statistics
from flare_client.statistics.buckets import dtype_to_data_type, get_std_histogram_buckets
from flare_client.statistics.digest import digest_of
from flare_client.statistics.serve import TENSOR, answers_of
from flare_client.statistics.spec import SiteContext
from job_process import JobProcess

ASKED = ["count", "sum", "mean", "var", "stddev", "histogram"]


def request(**more):
    return {"version": 1, "pass": 1, "pre_run": True, "statistics": ASKED, "histogram": {"*": {"bins": 4}}, "quantile": {}, **more}


def tensor_of(document):
    return {TENSOR: np.frombuffer(json.dumps(document).encode(), dtype=np.uint8)}


def document_in(result):
    return json.loads(bytes(result["tensors"][TENSOR].data).decode())


class Given(Statistics):
    """Statistics of values that a test has."""

    def __init__(self, values, has_sum=True):
        super().__init__()
        self.values = np.array(values, dtype=np.float64)
        self.has_sum = has_sum

    def features(self):
        return {"d": [Feature("x", DataType.FLOAT), Feature("name", DataType.STRING)]}

    def count(self, dataset_name, feature_name):
        return self.values.size

    def sum(self, dataset_name, feature_name):
        if not self.has_sum:
            raise NotImplementedError
        return self.values.sum()

    def mean(self, dataset_name, feature_name):
        return self.values.mean()

    def min_value(self, dataset_name, feature_name):
        return self.values.min()

    def max_value(self, dataset_name, feature_name):
        return self.values.max()


class Answers(unittest.TestCase):
    def test_the_first_pass_says_what_the_second_needs_and_no_more(self):
        self.assertEqual(
            answers_of(Given([1, 2, 6]), request()),
            [{"dataset": "d", "feature": "x", "count": 3, "failure_count": 0, "sum": 9.0, "min": 1.0, "max": 6.0}],
        )
        with_range = request(histogram={"*": {"bins": 4, "range": [0, 10]}}, statistics=["count", "histogram"])
        self.assertEqual(answers_of(Given([1, 2, 6]), with_range), [{"dataset": "d", "feature": "x", "count": 3, "failure_count": 0}])

    def test_a_mean_stands_for_a_sum_that_is_not_implemented(self):
        self.assertEqual(answers_of(Given([1, 2, 6], has_sum=False), request())[0]["sum"], 9.0)

    def test_what_is_not_implemented_is_left_out(self):
        told = {"dataset": "d", "feature": "x", "count": 9, "mean": 3.0, "bins": 4, "low": 0, "high": 8}
        answer = answers_of(Given([1, 2, 6]), request(**{"pass": 2}, features=[told]))
        self.assertEqual(answer, [{"dataset": "d", "feature": "x", "count": 3, "failure_count": 0}])

    def test_no_values_are_no_numbers(self):
        self.assertEqual(answers_of(Given([]), request()), [{"dataset": "d", "feature": "x", "count": 0, "failure_count": 0, "sum": 0.0}])


class Digests(unittest.TestCase):
    def test_quantiles_of_a_digest_are_those_of_the_values_to_within_a_part_of_its_fineness(self):
        values = np.random.default_rng(1).lognormal(size=20_000)
        digest = digest_of(values)
        self.assertLessEqual(len(digest), 200)
        self.assertAlmostEqual(sum(weight for _, weight in digest), values.size)
        below = 0.0
        for mean, weight in digest:
            # Where it says that so many values are below, so many are.
            share = float(np.mean(values <= mean))
            self.assertLess(abs(share - (below + weight / 2) / values.size), 0.005)
            below += weight

    def test_few_values_are_themselves(self):
        self.assertEqual(digest_of(np.array([3, 1, 2])), [(1, 1), (2, 1), (3, 1)])
        self.assertEqual(digest_of(np.array([])), [])


class Histograms(unittest.TestCase):
    def test_infinite_values_count_in_the_first_and_the_last_bin(self):
        bins = get_std_histogram_buckets(np.array([-np.inf, 0, 1, 2, np.inf, np.nan]), 2)
        self.assertEqual([tuple(one) for one in bins], [(0.0, 1.0, 2), (1.0, 2.0, 3)])

    def test_kinds_of_columns(self):
        for kind, expected in (("int8", DataType.INT), ("bool", DataType.INT), ("float32", DataType.FLOAT), ("O", DataType.STRING)):
            self.assertEqual(dtype_to_data_type(np.dtype(kind)), expected)
        self.assertEqual(dtype_to_data_type(np.dtype("datetime64[s]")), DataType.DATETIME)


class CsvFiles(unittest.TestCase):
    def test_columns_of_numbers_are_features_and_empty_cells_are_no_values(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "patients.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\ufeffage, weight,name,note\n40,70.5,Jane,\n,80.5,Joe,\n60,nan,Jim,\n")
        statistics = CsvStatistics(["patients"])
        statistics.initialize(SiteContext("site-1", "j", {"patients": path, "other": "/nowhere"}))
        self.assertEqual(
            statistics.features(),
            {"patients": [Feature("age", DataType.INT), Feature("weight", DataType.FLOAT), Feature("note", DataType.FLOAT)]},
        )
        self.assertEqual([statistics.count("patients", name) for name in ("age", "weight", "note")], [2, 2, 0])
        answers = answers_of(statistics, request(quantile={"age": [0.5]}))
        self.assertEqual(answers[0]["digest"], [(40.0, 1.0), (60.0, 1.0)])
        with self.assertRaisesRegex(RuntimeError, "no data set 'clients'; it offers other, patients"):
            CsvStatistics(["clients"]).initialize(SiteContext("site-1", "j", {"patients": path, "other": ""}))


#: Starts what a StatisticsExecutor starts, in the folder of the module that it names: the script's own.
START = """
import os, sys
os.chdir(os.path.dirname(sys.argv[1]))
from flare_client.command import main
sys.exit(main(["statistics", "train.Ours", '{"scale": 3}']))
"""


class Scripts(unittest.TestCase):
    SCRIPT = textwrap.dedent(
        """
        from typing import Dict, List
        from nvflare.apis.fl_context import FLContext
        from nvflare.app_common.abstract.statistics_spec import BinRange, DataType, Feature, Histogram, HistogramType, Statistics
        from nvflare.app_common.statistics.numpy_utils import get_std_histogram_buckets
        import numpy as np

        class Ours(Statistics):
            def __init__(self, scale=1):
                super().__init__()
                self.scale = scale

            def initialize(self, fl_ctx: FLContext):
                self.log_info(fl_ctx, f"data of {fl_ctx.get_identity_name()}")
                self.values = self.scale * np.array([1.0, 2.0, 3.0, 4.0])

            def pre_run(self, statistics, num_of_bins, bin_ranges):
                print("asked for", statistics, num_of_bins, bin_ranges)
                return {}

            def features(self) -> Dict[str, List[Feature]]:
                return {"train": [Feature("x", DataType.FLOAT)]}

            def count(self, dataset_name, feature_name):
                return len(self.values)

            def sum(self, dataset_name, feature_name):
                return self.values.sum()

            def stddev(self, dataset_name, feature_name):
                return self.values.std(ddof=1)

            def variance_with_mean(self, dataset_name, feature_name, global_mean, global_count):
                return ((self.values - global_mean) ** 2).sum() / (global_count - 1)

            def histogram(self, dataset_name, feature_name, num_of_bins, global_min_value, global_max_value):
                buckets = get_std_histogram_buckets(self.values, num_of_bins, BinRange(global_min_value, global_max_value))
                return Histogram(HistogramType.STANDARD, buckets)

            def min_value(self, dataset_name, feature_name):
                return min(self.values)

            def max_value(self, dataset_name, feature_name):
                return max(self.values)
        """
    )

    def result(self, job):
        message = job.result()
        while message["type"] == "progress":
            message = job.result()
        return message

    def answer(self, job):
        job.greet(params_transfer_type="DIFF")
        job.task(tensor_of(request()), task_name="fed_stats")
        first = self.result(job)
        self.assertEqual((first["type"], first["weight"], first["params_type"]), ("result", 1, "DIFF"))
        job.accept(first)
        told = {"dataset": "train", "feature": "x", "count": 8, "mean": 5.0, "bins": 4, "low": 0, "high": 8}
        job.task(tensor_of(request(**{"pass": 2}, features=[told])), round_number=1, task_id="task/2", task_name="fed_stats")
        second = self.result(job)
        job.accept(second)
        return document_in(first), document_in(second), job.stop()

    def test_a_class_that_was_written_for_flare_runs_unchanged(self):
        job = JobProcess(self.SCRIPT + "from flare_client.statistics import serve\nserve(Ours(scale=2))\n")
        first, second, (status, output) = self.answer(job)
        base = {"dataset": "train", "feature": "x", "count": 4, "failure_count": 0}
        self.assertEqual(first, {"version": 1, "pass": 1, "features": [{**base, "sum": 20.0, "min": 2.0, "max": 8.0}]})
        [found] = second["features"]
        self.assertEqual(found.pop("histogram"), {"low": 0.0, "high": 8.0, "counts": [0, 1, 1, 2]})
        self.assertAlmostEqual(found.pop("var"), 20 / 7)
        self.assertAlmostEqual(found.pop("stddev"), 2.581988897)
        self.assertEqual(found, base)
        self.assertEqual(status, 0)
        self.assertIn("data of site-1", output)
        self.assertIn(f"asked for {ASKED} {{'*': 4}} {{'*': None}}", output)

    def test_a_component_of_a_job_is_made_with_its_arguments_and_asked(self):
        job = JobProcess(self.SCRIPT, command=["-c", START])
        first, _, (status, _) = self.answer(job)
        self.assertEqual(first["features"][0]["sum"], 30.0)
        self.assertEqual(status, 0)


class ErrorsOfScripts(unittest.TestCase):
    def tearDown(self):
        os.environ.pop("NVFLARE_SECURE_LOGGING", None)

    def test_say_nothing_of_data_where_a_site_wants_it_so(self):
        for is_secure in ("0", "True"):
            os.environ["NVFLARE_SECURE_LOGGING"] = is_secure
            try:
                raise ValueError("age 93")
            except ValueError as error:
                with self.assertLogs() as log:
                    secure_log_traceback()
                said = [secure_format_exception(error), log.output[0]]
            self.assertEqual(["age 93" in text for text in said], [is_secure == "0"] * 2)
            self.assertIn("test_statistics.py", said[1])
            self.assertIn("ValueError", said[1])


if __name__ == "__main__":
    unittest.main()
