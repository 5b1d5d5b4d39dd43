"""``python -m noiseless``."""

import sys

from noiseless.apps.cli import main

sys.exit(main())
