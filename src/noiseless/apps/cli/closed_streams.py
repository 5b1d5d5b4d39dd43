"""Standard streams that are there, whatever a program was given."""

import os
import sys

CLOSED: set[str] = set()
"""Names of the streams that were closed when the program began."""


def made_safe() -> None:
    """Let a program run whose standard streams are closed, or cannot hold every letter.

    A closed one becomes that to nowhere. It would otherwise be missed only when something is to be said, after the
    work; and the first file that is opened would take its number, and what is said. A letter that has no place in the
    encoding, as in a name of bytes that are no text, is written as its number.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        stream = getattr(sys, name)
        if stream is None:
            try:
                os.fstat(number)
                descriptor = number
            except OSError:
                descriptor = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115  to the end
            CLOSED.add(name)
        elif getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
