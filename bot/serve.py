"""`patchgate run`: start the wired bot, take requests until a signal comes, stop in order."""

import logging
import signal
import threading

import uvicorn
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.app import build
from bot.receiving import Http
from bot.settings import Settings
from commands.ports import Clock

log = logging.getLogger(__name__)


class StartError(Exception):
    """One clear sentence: why nothing was started."""


def serve(settings: Settings, clock: Clock, address: tuple[str, int] | None) -> None:
    """Serve until SIGINT or SIGTERM. Raises StartError, ConfigurationError or StorageError before anything runs."""
    _require_secrets(settings, http=address is not None)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        bot = build(settings, clock)
    except (SlackApiError, SlackClientError, OSError) as error:
        raise StartError(_slack_says(settings, error)) from None
    try:
        bot.start()
        if address:
            _serve_http(bot.http(), address, stop)
        else:
            socket = bot.socket()
            try:
                socket.connect()
            except (SlackApiError, SlackClientError, OSError) as error:
                raise StartError(_slack_says(settings, error)) from None
            log.info("Patchgate is connected to Slack")
            stop.wait()
            socket.close()
    finally:
        bot.stop()
    log.info("Patchgate has stopped")


def _serve_http(handler: Http, address: tuple[str, int], stop: threading.Event) -> None:
    server = uvicorn.Server(
        uvicorn.Config(handler, host=address[0], port=address[1], log_config=None, access_log=False)
    )
    thread = threading.Thread(target=server.run, name="http-server", daemon=True)
    thread.start()
    while not stop.wait(0.2):
        if not thread.is_alive():
            raise StartError(f"Nothing can listen on {address[0]}:{address[1]}; choose another address.")
    server.should_exit = True
    thread.join()


def _require_secrets(settings: Settings, *, http: bool) -> None:
    needed = {"SLACK_BOT_TOKEN": settings.bot_token}
    needed |= {"SLACK_SIGNING_SECRET": settings.signing_secret} if http else {"SLACK_APP_TOKEN": settings.app_token}
    missing = [name for name, secret in needed.items() if not secret.get_secret_value()]
    if missing:
        raise StartError(f"{' and '.join(missing)} must be set; nothing runs. See docs/guide/getting-started.md.")


def _slack_says(settings: Settings, error: Exception) -> str:
    reason = error.response.get("error") if isinstance(error, SlackApiError) else type(error).__name__
    return f"Slack at {settings.slack_api_url} did not let Patchgate in ({reason}); nothing runs. Check the tokens."
