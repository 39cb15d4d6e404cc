"""`patchgate run`: start the wired bot, take requests until a signal comes, stop in order."""

import logging
import signal
import socket
import threading

import uvicorn
from slack_bolt.error import BoltError
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.app import Patchgate, build
from bot.settings import Settings
from commands.ports import Clock

log = logging.getLogger(__name__)

LAST_ANSWERS = 5  # seconds that requests in work have at the end: longer than Slack waits for an ack


class StartError(Exception):
    """One clear sentence: why nothing was started."""


def serve(settings: Settings, clock: Clock, address: tuple[str, int] | None) -> None:
    """Serve until SIGINT or SIGTERM. Raises StartError, ConfigurationError or StorageError before anything runs."""
    _require_secrets(settings, http=address is not None)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    # Bound before anything runs, and listening only when somebody can answer.
    bound = _bind(*address) if address else None
    try:
        bot = build(settings, clock)
    except (BoltError, SlackApiError, SlackClientError, OSError) as error:
        raise StartError(_slack_says(settings, error)) from None
    try:
        if bound:
            _serve_http(bot, bound, stop)
        else:
            _serve_socket(bot, settings, stop)
    finally:
        bot.stop()
    log.info("Patchgate has stopped")


def _serve_socket(bot: Patchgate, settings: Settings, stop: threading.Event) -> None:
    socket_mode = bot.socket()
    try:
        # Slack judges the app token first: with a wrong one nothing may be sent to AWS.
        socket_mode.reserve()
        bot.start()
        socket_mode.connect()
        log.info("Patchgate is connected to Slack")
        stop.wait()
    except (SlackApiError, SlackClientError, OSError) as error:
        raise StartError(_slack_says(settings, error)) from None
    finally:
        socket_mode.close()


def _serve_http(bot: Patchgate, bound: socket.socket, stop: threading.Event) -> None:
    config = uvicorn.Config(
        bot.http(), lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=LAST_ANSWERS
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([bound],), name="http-server", daemon=True)
    bot.start()
    bound.listen()
    thread.start()
    log.info("Patchgate takes requests on %s:%d/slack/events", *bound.getsockname()[:2])
    while not stop.wait(0.2):
        if not thread.is_alive():
            raise StartError("The HTTP server has ended by itself, so Patchgate has stopped; the log says why.")
    server.should_exit = True
    thread.join()
    bound.close()


def _bind(host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise StartError(
            f"Nothing can listen on {host}:{port} ({error.strerror}); nothing runs. Choose another address."
        ) from None
    return bound


def _require_secrets(settings: Settings, *, http: bool) -> None:
    needed = {"SLACK_BOT_TOKEN": settings.bot_token}
    needed |= {"SLACK_SIGNING_SECRET": settings.signing_secret} if http else {"SLACK_APP_TOKEN": settings.app_token}
    missing = [name for name, secret in needed.items() if not secret.get_secret_value()]
    if missing:
        raise StartError(f"{' and '.join(missing)} must be set; nothing runs. See docs/guide/getting-started.md.")


def _slack_says(settings: Settings, error: Exception) -> str:
    if isinstance(error, BoltError) and isinstance(error.__context__, SlackApiError):
        error = error.__context__  # Bolt wraps what Slack said about the token
    where = f"Slack at {settings.slack_api_url}"
    if isinstance(error, SlackApiError):
        return f"{where} did not let Patchgate in ({error.response.get('error')}); nothing runs. Check the tokens."
    reason = getattr(error, "reason", None) or error
    return f"{where} can't be reached ({reason}); nothing runs. Check the network and SLACK_API_URL."
