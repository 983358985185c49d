import json
import os
import random
import tempfile
import unittest

import numpy as np
from flare_client import ClientApiError
from flare_client.safetensors import NUMPY_KINDS, read_safetensors, write_safetensors
from flare_client.tensors import difference, raw_tensors, to_own, to_raw

try:
    import ml_dtypes
except ImportError:
    ml_dtypes = None


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "model.safetensors")

    def test_every_kind_and_shape_comes_back(self):
        random_numbers = np.random.default_rng(1)
        params = {}
        for kind, dtype in NUMPY_KINDS.items():
            for shape in ((), (0,), (3,), (2, 0, 4), (2, 3, 4)):
                params[f"{kind}{shape}"] = random_numbers.integers(0, 2, shape).astype(dtype)
        params["transposed"] = np.arange(6, dtype=np.float32).reshape(2, 3).T
        params["big-endian"] = np.arange(3, dtype=">f4")
        write_safetensors(self.path, raw_tensors(params).items())
        read = read_safetensors(self.path)
        self.assertEqual(set(read), set(params))
        for name, value in params.items():
            own = np.asarray(to_own(read[name]))
            self.assertEqual(own.shape, value.shape)
            np.testing.assert_array_equal(own, value)

    def test_hostile_files_are_errors(self):
        write_safetensors(self.path, raw_tensors({"w": np.arange(6, dtype=np.float32)}).items())
        with open(self.path, "rb") as file:
            good = file.read()
        source = random.Random(1)
        broken = [b"", b"1234567", (2**63).to_bytes(8, "little") + good[8:]]
        for entry in ({"dtype": "F99"}, {"shape": [-1]}, {"shape": [2**40]}, {"data_offsets": [0, 99]}, {"data_offsets": [4, 0]}, {"shape": "x"}):
            header = json.dumps({"w": {"dtype": "F32", "shape": [6], "data_offsets": [0, 24], **entry}}).encode()
            broken.append(len(header).to_bytes(8, "little") + header + good[-24:])
        for bytes_ in broken:
            with open(self.path, "wb") as file:
                file.write(bytes_)
            with self.assertRaises(ClientApiError):
                read_safetensors(self.path)
        for _ in range(500):
            mutated = bytearray(good)
            for _ in range(source.randint(1, 4)):
                mutated[source.randrange(len(mutated))] = source.randrange(256)
            with open(self.path, "wb") as file:
                file.write(mutated)
            try:
                read_safetensors(self.path)
            except ClientApiError:
                pass

    def test_what_a_file_cannot_hold_is_an_error(self):
        for value in (np.array(["a"]), np.array([1j]), object(), [[1.0], [2.0, 3.0]]):
            with self.assertRaisesRegex(ClientApiError, "Tensor 'w'"):
                to_raw("w", value)
        # The key of the format's own: a reader would not take it for a tensor.
        with self.assertRaisesRegex(ClientApiError, "__metadata__"):
            raw_tensors({"__metadata__": np.zeros(1)})

    @unittest.skipIf(ml_dtypes is None, "Python without ml_dtypes")
    def test_arrays_of_ml_dtypes_come_back_with_their_differences(self):
        for kind in (ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2):
            trained, received = np.array([[3, 5]], kind), np.ones((1, 2), kind)
            write_safetensors(self.path, raw_tensors({"w": trained}).items())
            own = to_own(read_safetensors(self.path)["w"])
            self.assertEqual(own.dtype, trained.dtype)
            np.testing.assert_array_equal(own, trained)
            made = to_own(difference("w", to_raw("w", trained), {"w": to_raw("w", received)}))
            np.testing.assert_array_equal(made, np.array([[2, 4]], kind))

    def test_differences_need_the_same_shape_and_a_signed_kind(self):
        ones, pairs = to_raw("w", np.ones(3, dtype=np.float32)), to_raw("w", np.ones(2, dtype=np.float32))
        for trained, received in ((ones, {"w": pairs}), (ones, {}), (to_raw("w", np.ones(3, dtype=np.uint8)), {"w": to_raw("w", np.ones(3, dtype=np.uint8))})):
            with self.assertRaises(ClientApiError):
                difference("w", trained, received)

    def test_a_difference_beyond_its_kind_is_an_error_and_not_another_number(self):
        for kind in (np.int8, np.int16, np.int32, np.int64):
            least, most = to_raw("w", np.array([0, np.iinfo(kind).min], kind)), to_raw("w", np.array([0, np.iinfo(kind).max], kind))
            for trained, received in ((most, least), (least, most)):
                with self.assertRaises(ClientApiError):
                    difference("w", trained, {"w": received})
            np.testing.assert_array_equal(to_own(difference("w", least, {"w": least})), np.zeros(2, kind))


if __name__ == "__main__":
    unittest.main()
