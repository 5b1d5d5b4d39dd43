"""``noiseless`` that waits where a result is whole and has not its name yet: ``python paused.py WORDS ...``.

It says "written" on standard output when it has come so far, and goes on when it is sent a line. The keyboard reaches
it, whatever started it.
"""

import signal
import sys

from noiseless import atomic
from noiseless.apps.cli import main


def pause(path):
    """In the place of what brings a file to the disk."""
    sys.stdout.write("written\n")
    sys.stdout.flush()
    sys.stdin.readline()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    atomic._flush = pause
    sys.exit(main(sys.argv[1:]))
