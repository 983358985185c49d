"""``python -m flare_client`` is the command ``flare-client``."""

import sys

from .command import main

sys.exit(main())
