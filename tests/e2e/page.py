"""The page in headless Chromium, against a served workspace and a small simulated world."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from slack_sdk import WebClient

import sandbox
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.fleet import small_fleet
from sandbox.mail import Mailbox
from sandbox.panel import panel_routes
from sandbox.slack.app import create_app
from sandbox.slack.seed import default_seed
from sandbox.slack.server import WorkspaceServer
from sandbox.slack.workspace import Workspace
from tests.unit.workspace.harness import Running

# Makefile looks it up in the same way.
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
PAGE_DIR = Path(sandbox.__file__).parent / "page"
# What the page may not do behind a test's back; an image that is not the page's own is refused on purpose.
EXPECTED_CONSOLE = (
    'Content Security Policy directive: "img-src',
    "status of 400",
    "status of 404",
    "sandboxed and the 'allow-scripts'",
)


@dataclass(frozen=True)
class Served(Running):
    world: World

    def bot(self) -> WebClient:
        return self.client()


@contextmanager
def served() -> Iterator[Served]:
    """A workspace with its page, its mailbox and a world of one application. No bot is connected to it."""
    clock = SandboxClock()
    world = World(clock, small_fleet(nonprod=1, prod=2))
    workspace = Workspace(clock, default_seed(), rate_limits=False, ack_seconds=1.0)
    mailbox = Mailbox(clock)
    server = WorkspaceServer(create_app(workspace, mailbox, panel_routes(world, clock), PAGE_DIR))
    mailbox.start()
    server.start()
    try:
        yield Served(workspace, mailbox, clock, server.url, world)
    finally:
        server.stop()
        mailbox.stop()


@contextmanager
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, url: str, fragment: str = "", **options: Any) -> Iterator[Page]:
    """A fresh profile on the page; an error in its scripts or console fails the test."""
    options = {"viewport": {"width": 1280, "height": 800}, **options}
    context = browser.new_context(**options)
    context.set_default_timeout(5000)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.goto(f"{url}/{fragment}", timeout=30_000)  # a browser takes its time to start beside others
    page.get_by_test_id("channel-C0ORDERS").wait_for(state="attached")
    yield page
    context.close()
    assert [each for each in problems if not any(known in each for known in EXPECTED_CONSOLE)] == []
