"""How long people wait for an ack: Patchgate beside a bare Bolt app, one after the other in the same run.

    python -m benchmarks.ack_latency [--commands N]

Both are processes of their own on the local workspace over Socket Mode. A command's time runs from its envelope's
sending to its ack's arrival at the workspace. Printed are p50 and p99 in milliseconds and the ratio of Patchgate's to
the floor's in the same phase (docs: design, "What it will be measured on": p99 at most twice).
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import quantiles

import click
from starlette.websockets import WebSocket

from sandbox.fleet import small_fleet
from sandbox.neighbourhood import Neighbourhood, open_neighbourhood
from sandbox.slack import interactions
from sandbox.slack.bot import Bot
from sandbox.slack.rules import Json
from sandbox.slack.sockets import Sockets

IN_FLIGHT = 50
SLOW = 20.0  # seconds that AWS takes for each answer while runs are in flight
WARM = "warm-up"
CHANNEL, USER = "C0PATCHING", "U0ANN"


class TimedSockets(Sockets):
    """Keeps the seconds from each envelope's sending to its ack's arrival."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__(changed)
        self.seconds: list[float] = []

    async def serve(self, socket: WebSocket, host: str, app_id: str) -> None:
        self.loop = asyncio.get_running_loop()
        await super().serve(socket, host, app_id)

    async def deliver(self, kind: str, payload: Json, takes_payload: bool, seconds: float, **more: object) -> Json:
        began = time.perf_counter()
        answer = await super().deliver(kind, payload, takes_payload, seconds, **more)
        self.seconds.append(time.perf_counter() - began)
        return answer


@dataclass(frozen=True)
class Street:
    """The neighbourhood with a stopwatch at its bot's door."""

    around: Neighbourhood
    sockets: TimedSockets
    folder: Path

    @contextmanager
    def bot(self, *module: str) -> Iterator[None]:
        """`python -m …` as the workspace's bot while the block runs."""
        environment = {**os.environ, **self.around.environment(self.folder), "PATCHGATE_LOG_LEVEL": "ERROR"}
        with subprocess.Popen([sys.executable, "-m", *module], env=environment) as process:
            try:
                if not self.around.workspace.wait_until(lambda: self.sockets.sent, 30):
                    raise click.ClickException(f"{' '.join(module)} did not connect")
                yield
            finally:
                process.kill()
        self.around.workspace.wait_until(lambda: not self.sockets.sent, 30)

    def ask(self, texts: list[str], at_once: int = 1) -> list[float]:
        """Have these typed, so many at once; the milliseconds to each one's ack. All must come in time."""
        self.sockets.seconds.clear()
        asyncio.run_coroutine_threadsafe(self._type(texts, at_once), self.sockets.loop).result()
        return [seconds * 1000 for seconds in self.sockets.seconds]

    def warm_up(self) -> None:
        """One scan from end to end: the simulated AWS loads its parts at their first use, and shares our processor."""
        self.ask([f"scan {WARM} nonprod", *["status"] * 100])

        def ended() -> bool:
            return any("succeeded" in message.text for message in self.around.workspace.messages(CHANNEL))

        if not self.around.workspace.wait_until(ended, 60):
            raise click.ClickException("the first scan did not end")

    async def _type(self, texts: list[str], at_once: int) -> None:
        bot, waiting = Bot(self.around.workspace), iter(texts)

        async def person() -> None:
            for text in waiting:
                answer = await interactions.command(self.around.workspace, bot, USER, CHANNEL, f"/patch {text}", None)
                if not answer["ok"]:
                    raise click.ClickException(f"/patch {text} was not acked: {answer['error']}")

        await asyncio.gather(*(person() for _ in range(at_once)))


@contextmanager
def street() -> Iterator[Street]:
    fleets = [small_fleet(application=name) for name in (WARM, *applications())]
    fleet = replace(
        fleets[0],
        applications=tuple(application for each in fleets for application in each.applications),
        repositories=tuple(repository for each in fleets for repository in each.repositories),
    )
    around = open_neighbourhood(fleet, rate_limits=False)
    around.workspace.sockets = sockets = TimedSockets(around.workspace.news.stir)
    with tempfile.TemporaryDirectory() as folder:
        try:
            yield Street(around, sockets, Path(folder))
        finally:
            around.close()


def applications() -> list[str]:
    return [f"app-{number}" for number in range(IN_FLIGHT)]


@click.command()
@click.option("--commands", default=500, show_default=True, help="How many commands each phase asks.")
def main(commands: int) -> None:
    """Print how long acks take, beside a bare Bolt app's."""
    reads = ["status", "help", "approvals", "status scan-1"] * (commands // 4)
    with street() as where:
        with where.bot("benchmarks.echo"):
            where.ask(reads[:100])
            alone, crowd = where.ask(reads), where.ask(reads, IN_FLIGHT)
        print(f"{'':58}   p50 ms   p99 ms   p99 ratio")
        show("a bare Bolt app: one command at a time", alone, alone)
        show(f"a bare Bolt app: {IN_FLIGHT} at once", crowd, crowd)
        with where.bot("bot", "run"):
            where.warm_up()
            show("Patchgate: one read at a time", where.ask(reads), alone)
            show(f"Patchgate: {IN_FLIGHT} reads at once", where.ask(reads, IN_FLIGHT), crowd)
            for service in ("ssm", "ec2", "sts"):
                where.around.world.faults.add(service, "*", "slow", times=1_000_000, seconds=SLOW)
            scans = [f"scan {name} nonprod" for name in applications()]
            show(f"Patchgate: {IN_FLIGHT} scans asked, one at a time, AWS slow", where.ask(scans), alone)
            show(f"Patchgate: one read at a time, {IN_FLIGHT} runs open, AWS slow", where.ask(reads), alone)
            late = where.ask(reads, IN_FLIGHT)
            show(f"Patchgate: {IN_FLIGHT} reads at once, {IN_FLIGHT} runs open, AWS slow", late, crowd)


def show(what: str, milliseconds: list[float], floor: list[float]) -> None:
    print(f"{what:58} {p(milliseconds, 50):8.1f} {p(milliseconds, 99):8.1f} {p(milliseconds, 99) / p(floor, 99):11.2f}")


def p(values: list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    main()
