"""`patchgate sandbox`: the same bot, on a simulated AWS and a local Slack workspace, in one process."""

import os
import signal
import tempfile
import threading
from pathlib import Path

import click

from aws.sessions import Sessions
from bot.app import build
from bot.serve import StartError
from bot.settings import Settings
from sandbox.fleet import demo_fleet
from sandbox.neighbourhood import Neighbourhood, open_neighbourhood

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def serve_sandbox(port: int) -> None:
    """Serve until SIGINT or SIGTERM. Everything is on loopback, and forgotten at the end."""
    for name in PROXIES:
        # The SDK's proxy loader ignores NO_PROXY, and its socket then fails silently (facts/slack.md "Socket Mode").
        os.environ.pop(name, None)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    with tempfile.TemporaryDirectory(prefix="patchgate-") as folder:
        try:
            around = open_neighbourhood(demo_fleet(), port=port)
        except OSError as error:
            raise StartError(f"Port {port} can't be used ({error.strerror}); give another with --port.") from None
        try:
            _serve(around, Path(folder), stop)
        finally:
            around.close()


def _serve(around: Neighbourhood, folder: Path, stop: threading.Event) -> None:
    environment = around.environment(folder)
    bot = build(Settings.model_validate(environment), around.clock, sessions=Sessions(environment))
    socket = bot.socket()
    try:
        bot.start()
        socket.connect()
        click.echo(f"Patchgate is ready: {around.url}")
        click.echo("Type /patch help there. Everything is simulated and forgotten when this ends (Ctrl+C).")
        stop.wait()
    finally:
        socket.close()
        bot.stop()
