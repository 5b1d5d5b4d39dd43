"""What goes wrong, as clients are told: a status, a name and one line."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException

STATUS: Mapping[str, int] = {
    "InvalidRequest": 422,
    "Unauthorised": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "NotReady": 409,
    "Cancelled": 409,
    "TooLarge": 413,
    "QueueFull": 429,
    "WorkerDied": 500,
    "Stopped": 503,
    "TimedOut": 504,
    "StorageFull": 507,
    # Those of noiseless are of the input, and so are 422 unless they stand here.
    "UnsupportedFormat": 415,
    "MissingExtra": 501,
    "UnwritableFile": 500,
}

OF_NOISELESS = 422

SLOW_CLIENT = 408


class Refusal(HTTPException):
    """An answer that is not what was asked for.

    Parameters
    ----------
    name : of ``STATUS``, or of an error of noiseless
    message : one line
    headers : for the answer
    status : where it is not that of the name
    """

    def __init__(
        self, name: str, message: str, *, headers: Mapping[str, str] | None = None, status: int | None = None
    ) -> None:
        super().__init__(status or status_of(name), message, dict(headers or {}))
        self.name = name


def status_of(name: str) -> int:
    """The status of an answer that tells an error of that name."""
    return STATUS.get(name, OF_NOISELESS)


def problem(name: str, message: str) -> dict[str, dict[str, str]]:
    """The body of such an answer; the message on one line."""
    return {"error": {"name": name, "message": " ".join(message.split())}}
