"""Everything around the bot, on loopback: the simulated AWS, the workspace with its page, and a mail server."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from sandbox.aws.fleet import Fleet
from sandbox.aws.runcommand import Durations
from sandbox.aws.server import SimulatedAws
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.fleet import PRODUCTION, REGION, fleet_config
from sandbox.mail import Mailbox
from sandbox.panel import panel_routes
from sandbox.slack.app import create_app
from sandbox.slack.model import Seed
from sandbox.slack.seed import default_seed
from sandbox.slack.server import WorkspaceServer
from sandbox.slack.workspace import Workspace

PAGE = Path(__file__).parent / "page"


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Started by `open_neighbourhood`; `environment` is all that a bot needs to live in it."""

    clock: SandboxClock
    world: World
    aws: SimulatedAws
    workspace: Workspace
    mailbox: Mailbox
    server: WorkspaceServer

    @property
    def url(self) -> str:
        """The page."""
        return self.server.url

    def environment(self, folder: Path) -> dict[str, str]:
        """Environment variables for a bot whose files are in `folder`; writes its patchgate.yaml there."""
        config = folder / "patchgate.yaml"
        config.write_text(yaml.safe_dump(fleet_config(self.world.fleet), sort_keys=False), encoding="utf-8")
        return {
            "SLACK_BOT_TOKEN": self.workspace.bot_token,
            "SLACK_APP_TOKEN": self.workspace.app_token,
            "SLACK_SIGNING_SECRET": self.workspace.signing_secret,
            "SLACK_API_URL": f"{self.server.url}/api/",
            "PATCHGATE_CONFIG": str(config),
            "PATCHGATE_DATABASE": str(folder / "patchgate.db"),
            "PATCHGATE_SMTP": f"smtp://127.0.0.1:{self.mailbox.port}",
            "AWS_ACCESS_KEY_ID": self.aws.base_key(PRODUCTION),
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.aws.url,
        }

    def close(self) -> None:
        self.server.stop()
        self.mailbox.stop()
        self.aws.stop()


def open_neighbourhood(
    fleet: Fleet,
    *,
    clock: SandboxClock | None = None,
    port: int = 0,
    durations: Durations | None = None,
    rate_limits: bool = True,
    seed: Seed | None = None,
) -> Neighbourhood:
    """Start all three on loopback. Only one may be open in a process: moto's state is global."""
    clock = clock or SandboxClock()
    world = World(clock, fleet, durations)
    aws = SimulatedAws(world)
    workspace = Workspace(clock, seed or default_seed(), rate_limits=rate_limits)
    mailbox = Mailbox(clock)
    server = WorkspaceServer(create_app(workspace, mailbox, panel_routes(world, clock), PAGE), port=port)
    aws.start()
    mailbox.start()
    server.start()
    return Neighbourhood(clock, world, aws, workspace, mailbox, server)
