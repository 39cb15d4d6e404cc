"""The page's panel over HTTP: what it shows, what it changes, what it refuses."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

import pytest
import uvicorn
from starlette.applications import Starlette

from sandbox.aws import ssm
from sandbox.aws.runcommand import Durations
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.fleet import PRODUCTION, REGION, demo_fleet
from sandbox.panel import panel_routes

START = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Page:
    """The panel behind uvicorn, and the requests that its page would send."""

    def __init__(self) -> None:
        self.clock = SandboxClock(START, rate=0)
        self.world = World(self.clock, demo_fleet(), Durations(0, 1, 0, 5, 1))
        started = threading.Event()

        class Server(uvicorn.Server):
            async def startup(self, sockets: Any = None) -> None:
                await super().startup(sockets)
                started.set()

        app = Starlette(routes=panel_routes(self.world, self.clock))
        self._server = Server(uvicorn.Config(app, port=0, log_level="error"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        assert started.wait(20)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.origin = f"http://127.0.0.1:{port}"

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)

    def ask(
        self, path: str, body: object = None, *, method: str | None = None, origin: str | None = None
    ) -> tuple[int, Any]:
        """(status, parsed answer); a POST where there is a body."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        headers = {} if origin is None else {"Origin": origin}
        try:
            with urlopen(Request(f"{self.origin}/sandbox/world{path}", data, headers, method=method)) as answer:
                return answer.status, json.load(answer)
        except HTTPError as refused:
            with refused:
                raw = refused.read()
                return refused.code, json.loads(raw) if raw.startswith(b"{") else raw.decode()

    def node(self, name: str) -> dict[str, Any]:
        _, shown = self.ask("")
        [found] = [
            node
            for application in shown["applications"]
            for environment in application["environments"]
            for node in environment["nodes"]
            if node["name"] == name
        ]
        return dict(found)


@pytest.fixture
def page() -> Iterator[Page]:
    served = Page()
    yield served
    served.close()


def test_it_shows_the_world(page: Page) -> None:
    status, shown = page.ask("")
    assert (status, shown["now"], shown["rate"]) == (200, START.isoformat(), 0)
    names = ["orders-db", "orders-ha", "billing-db", "search-db", "reports-db", "ledger-db", "cache-al2023", "crm-win"]
    assert [a["name"] for a in shown["applications"]] == names
    production = shown["applications"][0]["environments"][1]
    assert (production["account"], production["production"], len(production["nodes"])) == ("222222222222", True, 3)
    moves = {repository["name"]: repository["moves"] for repository in shown["repositories"]}
    assert [move["made_up"] for move in moves["billing-db"]] == [False, True]
    assert moves["billing-db"][1]["at"] == (START + timedelta(days=3)).isoformat()
    assert "lost-reply" in shown["fault_kinds"]
    node = page.node("reports-db-nonprod-2")
    assert {name: node[name] for name in ("power", "agent", "running", "missing", "pending_reboot", "failing")} == {
        "power": "running",
        "agent": "online",
        "running": None,
        "missing": 32,
        "pending_reboot": False,
        "failing": ["postgresql-15"],
    }


def test_the_clock_jumps_and_changes_its_rate(page: Page) -> None:
    assert page.ask("/clock", {"jump_seconds": 86400})[1]["now"] == (START + timedelta(days=1)).isoformat()
    assert page.ask("/clock", {"rate": 60})[1]["rate"] == 60


def test_the_clock_jumps_to_production_s_next_window_and_to_the_one_after_it(page: Page) -> None:
    saturday = datetime.fromisoformat(page.ask("/clock", {"jump_to": "window"})[1]["now"])
    assert f"{saturday.astimezone(ZoneInfo('Europe/Dublin')):%a %H:%M}" == "Sat 02:01"
    assert timedelta() < saturday - START <= timedelta(days=7, minutes=1)
    assert page.ask("/clock", {"jump_to": "window"})[1]["now"] == (saturday + timedelta(days=7)).isoformat()


def test_somebody_else_s_window_installs_on_the_node_s_environment(page: Page) -> None:
    node = page.node("orders-db-prod-1")
    made = page.ask("/install-windows", {"node": node["id"]})[1]["window_id"]
    window = page.world.region(PRODUCTION, REGION).windows[made]
    assert window.settings["Name"] == "orders-db-prod-install"
    (task,) = window.tasks.values()
    assert task.params["TaskInvocationParameters"]["RunCommand"]["Parameters"] == {"Operation": ["Install"]}


def test_somebody_else_s_install_runs_reboots_and_ends(page: Page) -> None:
    node = page.node("orders-db-prod-1")
    assert page.ask("/foreign", {"node": node["id"], "operation": "Install"})[0] == 200
    page.ask("/clock", {"jump_seconds": 0.5})
    assert page.node("orders-db-prod-1")["running"] == "Install"
    page.ask("/clock", {"jump_seconds": 1})
    assert page.node("orders-db-prod-1")["agent"] == "rebooting"
    page.ask("/clock", {"jump_seconds": 10})
    after = page.node("orders-db-prod-1")
    assert (after["agent"], after["running"], after["missing"]) == ("online", None, 0)


def test_nodes_and_repositories_are_changed_by_hand(page: Page) -> None:
    node = page.node("orders-db-nonprod-1")
    assert page.ask(f"/nodes/{node['id']}", {"power": "stop"})[1]["power"] == "stopped"
    assert page.ask(f"/nodes/{node['id']}", {"power": "start", "agent": "lost"})[1]["agent"] == "lost"
    assert page.ask(f"/nodes/{node['id']}", {"agent": "back"})[1]["agent"] == "online"
    page.ask("/clock", {"jump_seconds": 3600})
    moved = page.ask("/repositories/orders-db/move", {})[1]["packages"]
    assert len(moved) == 5
    [move] = [r["moves"][1] for r in page.ask("")[1]["repositories"] if r["name"] == "orders-db"]
    assert (len(move["packages"]), move["made_up"]) == (5, True)


def test_an_alarm_is_put_on_in_one_account_or_in_all(page: Page) -> None:
    def alarms() -> list[dict[str, str]]:
        return [alarm for alarm in page.ask("")[1]["alarms"] if alarm["name"] == "orders-5xx"]

    def states() -> dict[str, str]:
        return {alarm["account"]: alarm["state"] for alarm in alarms()}

    [first, _] = alarms()
    assert first == {"name": "orders-5xx", "account": "111111111111", "region": "eu-west-1", "state": "OK"}
    one = {"name": "orders-5xx", "state": "ALARM", "account": "222222222222", "region": "eu-west-1"}
    assert page.ask("/alarms", one)[0] == 200
    assert states() == {"111111111111": "OK", "222222222222": "ALARM"}
    assert page.ask("/alarms", {"name": "orders-5xx", "state": "ALARM"})[0] == 200
    assert states() == {"111111111111": "ALARM", "222222222222": "ALARM"}
    assert page.ask("/alarms", {"name": "orders-5xx", "state": "OK"})[0] == 200
    assert set(states().values()) == {"OK"}


def test_faults_come_and_go_and_the_log_tells_what_was_asked(page: Page) -> None:
    fault = page.ask("/faults", {"service": "ssm", "operation": "SendCommand", "kind": "throttling", "times": 3})[1]
    assert page.ask("")[1]["faults"] == [fault]
    assert fault["left"] == 3
    assert page.ask(f"/faults/{fault['id']}", method="DELETE")[0] == 200
    assert page.ask("")[1]["faults"] == []
    step = {"kind": "step-fails", "document": "StopOrders", "step": "Stop"}
    node = page.node("orders-db-prod-1")["id"]
    assert page.ask("/faults", {"service": "ssm", "operation": "SendCommand", "nodes": [node], **step})[0] == 200
    with page.world.lock:
        asked = [page.world.faults.of_step(each, "StopOrders", "Stop") for each in ("i-0", node, node)]
    assert asked == [None, "step-fails", None]
    page.world.ssm_log.record(START, "111111111111", "eu-west-1", "ListCommands", {}, "ok")
    [row] = page.ask("/log")[1]
    assert (row["number"], row["operation"], row["at"]) == (1, "ListCommands", START.isoformat())
    assert page.ask("/log?after=1")[1] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/clock", {}),
        ("/clock", {"rate": -1}),
        ("/clock", {"rate": "fast"}),
        ("/clock", {"rate": True}),
        ("/clock", {"rate": 1, "jump_seconds": 1}),
        ("/clock", {"jump_seconds": -5}),
        ("/clock", {"jump_seconds": 1e12}),
        ("/clock", {"jump_to": "moon"}),
        ("/clock", {"jump_to": "window", "rate": 1}),
        ("/install-windows", {"node": "i-0"}),
        ("/install-windows", {}),
        ("/clock", b'{"jump_seconds": NaN}'),
        ("/clock", b"{"),
        ("/clock", []),
        ("/faults", {"service": "ssm", "operation": "SendCommand", "kind": "mischief"}),
        ("/faults", {"service": "ssm", "operation": "SendCommand", "kind": ["slow"]}),
        ("/faults", {"service": "ssm", "operation": "SendCommand", "kind": "slow", "times": 0}),
        ("/faults", {"service": "ssm", "operation": "SendCommand", "kind": "slow", "seconds": 9999}),
        ("/faults", {"service": "ssm", "operation": "SendCommand", "kind": "never-answers", "nodes": ["i-0"]}),
        ("/faults", {"service": "ssm", "operation": "SendCommand", "kind": "step-fails"}),
        ("/faults", {"service": "ssm", "operation": "SendCommand", "kind": "step-fails", "document": "Drain"}),
        (
            "/faults",
            {"service": "ssm", "operation": "SendCommand", "kind": "slow", "document": "Drain", "step": "Stop"},
        ),
        ("/faults", {"service": "", "operation": "SendCommand", "kind": "slow"}),
        ("/faults", {"service": "ssm", "operation": "SendCommand", "kind": "slow", "more": 1}),
        ("/repositories/unheard/move", {}),
        ("/foreign", {"node": "i-0", "operation": "Install"}),
        ("/foreign", {"operation": "Install"}),
        ("/nodes/i-0", {"power": "stop"}),
        ("/alarms", {}),
        ("/alarms", {"name": "unheard", "state": "ALARM"}),
        ("/alarms", {"name": "orders-5xx", "state": "LOUD"}),
        ("/alarms", {"name": "orders-5xx", "state": "ALARM", "account": "333333333333"}),
        ("/alarms", {"name": "orders-5xx", "state": "ALARM", "colour": "red"}),
    ],
)
def test_bad_input_gets_one_sentence_and_changes_nothing(page: Page, path: str, body: object) -> None:
    _, before = page.ask("")
    status, answer = page.ask(path, body)
    assert (status, list(answer)) == (400, ["error"])
    assert answer["error"]
    assert page.ask("")[1] == before


def test_a_node_is_not_asked_for_what_it_cannot_do(page: Page) -> None:
    node = page.node("orders-db-nonprod-1")
    for body in ({"power": "explode"}, {"agent": "asleep"}, {}, {"colour": "red"}, {"power": 1}):
        assert page.ask(f"/nodes/{node['id']}", body)[0] == 400
    assert page.ask("/foreign", {"node": node["id"], "operation": "Sweep"})[0] == 400
    assert page.ask("/log?after=x")[0] == 400
    assert page.ask("/faults/7", method="DELETE")[0] == 400
    assert page.node("orders-db-nonprod-1") == node


def test_only_its_own_page_may_change_the_world(page: Page) -> None:
    jump = {"jump_seconds": 5}
    for origin in ("http://elsewhere.example", "null", page.origin.replace("http", "ftp")):
        assert page.ask("/clock", jump, origin=origin)[0] == 403
        assert page.ask("/faults/1", method="DELETE", origin=origin)[0] == 403
    assert page.clock.now() == START
    assert page.ask("/clock", jump, origin=page.origin)[0] == 200


def test_the_panel_s_clock_is_the_simulated_ssm_s(page: Page) -> None:
    node = page.node("orders-db-nonprod-1")
    page.ask("/foreign", {"node": node["id"], "operation": "Scan"})
    page.ask("/clock", {"jump_seconds": 60})
    asked = {"InstanceIds": [node["id"]]}
    [state] = ssm.answer(page.world, "111111111111", "eu-west-1", "DescribeInstancePatchStates", asked)[
        "InstancePatchStates"
    ]
    assert state["OperationEndTime"] == START.timestamp() + 1
