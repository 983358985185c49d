import errno
import unittest

from flare_client import room


class WhenThereIsRoom(unittest.TestCase):
    def setUp(self):
        self.before = room.LOOK_SECONDS
        room.LOOK_SECONDS = 0.001

    def tearDown(self):
        room.LOOK_SECONDS = self.before

    def test_a_full_disk_is_waited_for(self):
        reasons = [OSError(errno.ENOSPC, "no space left"), OSError(errno.EDQUOT, "quota exceeded")]
        written = []

        def write():
            if reasons:
                raise reasons.pop()
            written.append("result")

        room.when_there_is_room(write)
        self.assertEqual(written, ["result"])

    def test_anything_else_is_an_error(self):
        def write():
            raise OSError(errno.EROFS, "read-only")

        with self.assertRaises(OSError):
            room.when_there_is_room(write)
