"""GET /sandbox/slack/events: what the page listens to, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse

from sandbox.slack.workspace import Workspace

HEARTBEAT_SECONDS = 15.0


def event_stream(workspace: Workspace, user: str) -> StreamingResponse:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(workspace, user), media_type="text/event-stream", headers=headers)


async def _events(workspace: Workspace, user: str) -> AsyncIterator[str]:
    subscription = workspace.news.subscribe(user)
    try:
        # Something must be sent at once: a browser calls the stream open only then.
        yield ": open\n\n"
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    event = await subscription.events.get()
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if event is None:
                return
            yield f"data: {json.dumps(event)}\n\n"
    finally:
        workspace.news.unsubscribe(subscription)
