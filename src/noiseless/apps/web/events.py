"""Answers that follow something while it changes, and stop when nobody listens any more."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from noiseless.apps.web.records import Watched

HEARTBEAT = 15.0
"""Seconds after which a silent stream says that it is alive; proxies close silent ones."""

BETWEEN_EVENTS = 0.1
"""Seconds between two events at least."""


class EventStream(Response):
    """Server-sent events: what a record tells, after every change, until it is over."""

    media_type = "text/event-stream"

    def __init__(self, record: Watched) -> None:
        super().__init__()
        self.record = record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        del scope
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if await unless_gone(self._follow(send), receive):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _follow(self, send: Send) -> None:
        last, record = "", self.record
        record.watchers += 1
        try:
            while True:
                text = json.dumps(record.told())  # type: ignore[attr-defined]  # files and jobs both have it
                if text != last:
                    last = text
                    await _send(send, f"data: {text}\n\n")
                    if record.over:
                        return
                    await asyncio.sleep(BETWEEN_EVENTS)
                elif not await record.changed(HEARTBEAT):
                    await _send(send, ": still here\n\n")
        finally:
            record.watchers -= 1
            record.touch()


async def until_over(record: Watched, receive: Receive) -> bool:
    """Wait for the end of something; False where the client went away before that."""

    async def over() -> None:
        while not record.over:
            await record.changed(HEARTBEAT)

    return await unless_gone(over(), receive)


async def unless_gone(work: Coroutine[Any, Any, None], receive: Receive) -> bool:
    """Work for a client; where that goes away, the work is cancelled, and the answer is False."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = {asyncio.ensure_future(work), asyncio.ensure_future(gone())}
    working = next(task for task in tasks if task.get_coro() is work)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
            return True
        return False
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _send(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
