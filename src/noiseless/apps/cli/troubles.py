"""What a check of the installation finds: facts, and troubles with their remedies."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong here, and what to do about it; a line for each."""

    what: str
    remedy: str


Finding: TypeAlias = tuple[Any, list[Trouble]]
"""Facts as plain values, and what is wrong."""


def checked(check: Callable[[], Finding]) -> Finding:
    """What a check finds; one that breaks off has found a trouble."""
    try:
        return check()
    except Exception as error:  # whatever is broken here, the other checks are wanted
        what = " ".join(f"{type(error).__name__}: {error}".split())
        name = check.__name__.replace("_", " ")
        return None, [Trouble(f"the check of {name} broke off, {what}", "install noiseless anew, or report it")]
