"""The page's panel for the simulated world: its clock, its fleet, its faults, its log. JSON over HTTP."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.aws.faults import KINDS, Fault
from sandbox.aws.fleet import Environment
from sandbox.aws.model import SsmError
from sandbox.aws.node import ManagedNode
from sandbox.aws.offers import MissingCounts
from sandbox.aws.world import World
from sandbox.clock import SandboxClock
from sandbox.slack.origin import SameOrigin

Body = dict[str, Any]
Handler = Callable[[Request, Body], Any]


def panel_routes(world: World, clock: SandboxClock) -> list[Route]:
    """Routes under /sandbox/world. Bad input is answered 400 `{"error": one sentence}`, a foreign page 403."""
    panel = Panel(world, clock)
    return [
        _route("/sandbox/world", "GET", panel.show),
        _route("/sandbox/world/clock", "POST", panel.set_clock),
        _route("/sandbox/world/faults", "POST", panel.add_fault),
        _route("/sandbox/world/faults/{id:int}", "DELETE", panel.remove_fault),
        _route("/sandbox/world/repositories/{name}/move", "POST", panel.move_repository),
        _route("/sandbox/world/foreign", "POST", panel.foreign_operation),
        _route("/sandbox/world/install-windows", "POST", panel.add_install_window),
        _route("/sandbox/world/nodes/{id}", "POST", panel.change_node),
        _route("/sandbox/world/alarms", "POST", panel.set_alarm),
        _route("/sandbox/world/log", "GET", panel.log),
    ]


class Panel:
    def __init__(self, world: World, clock: SandboxClock) -> None:
        self._world = world
        self._clock = clock
        self._missing = MissingCounts()

    def show(self, request: Request, body: Body) -> Body:
        world = self._world
        with world.lock:
            now = world.advance()
            applications = [
                {
                    "name": application.name,
                    "environments": [self._environment(e, now) for e in application.environments],
                }
                for application in world.fleet.applications
            ]
            repositories = [
                {
                    "name": name,
                    "moves": [
                        {
                            "at": at.isoformat(),
                            "packages": [f"{r.package.name} {r.package.version}" for r in releases],
                            "made_up": all(r.made_up for r in releases),
                        }
                        for at, releases in repository.moves()
                    ],
                }
                for name, repository in world.repositories.items()
            ]
            return {
                "now": now.isoformat(),
                "rate": self._clock.rate,
                "applications": applications,
                "repositories": repositories,
                "alarms": [
                    {"name": name, "account": region.account, "region": region.name, "state": state}
                    for region in world.regions()
                    for name, state in region.alarms.items()
                ],
                "faults": [_fault(fault) for fault in world.faults.active()],
                "fault_kinds": list(KINDS),
            }

    def set_clock(self, request: Request, body: Body) -> Body:
        if set(body) == {"rate"}:
            self._clock.set_rate(_number(body, "rate"))
        elif set(body) == {"jump_seconds"}:
            seconds = _number(body, "jump_seconds")
            if seconds > timedelta(days=366).total_seconds():
                raise ValueError(f"jump_seconds is {seconds}; a jump is at most a year")
            self._clock.jump(timedelta(seconds=seconds))
        elif body == {"jump_to": "window"}:
            self._clock.jump(self._until_next_window())
        else:
            raise ValueError("give either rate, jump_seconds or jump_to, which is window")
        return {"now": self._clock.now().isoformat(), "rate": self._clock.rate}

    def _until_next_window(self) -> timedelta:
        """Until a minute after a maintenance window opens next in an account and Region of production."""
        world = self._world
        with world.lock:
            now = world.advance()
            environments = (each for application in world.fleet.applications for each in application.environments)
            regions = {(each.account, each.region) for each in environments if each.production}
            windows = (window for region in regions for window in world.region(*region).windows.values())
            openings = [at for window in windows if (at := window.next_opening(now))]
        if not openings:
            raise ValueError("no maintenance window of production is planned")
        return min(openings) - now + timedelta(minutes=1)

    def add_install_window(self, request: Request, body: Body) -> Body:
        """For the environment of a node: a window that installs every Sunday and asks nobody."""
        node_id = _text(body, "node")
        with self._world.lock:
            self._world.node(node_id)
            environments = (each for application in self._world.fleet.applications for each in application.environments)
            theirs = next(each for each in environments if node_id in {node.id for node in each.nodes})
            return {"window_id": self._world.add_install_window(theirs)}

    def add_fault(self, request: Request, body: Body) -> Body:
        unknown = set(body) - {"service", "operation", "kind", "times", "seconds", "nodes", "document", "step"}
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        nodes = body.get("nodes") or []
        if not isinstance(nodes, list):
            raise ValueError("nodes is a list of instance ids")
        with self._world.lock:
            for node in nodes:
                self._world.node(node)
            fault = self._world.faults.add(
                _text(body, "service"),
                _text(body, "operation"),
                _text(body, "kind"),
                times=int(_number(body, "times")) if "times" in body else 1,
                seconds=_number(body, "seconds") if "seconds" in body else None,
                nodes=nodes,
                document=_text(body, "document") if "document" in body else "",
                step=_text(body, "step") if "step" in body else "",
            )
        return _fault(fault)

    def remove_fault(self, request: Request, body: Body) -> Body:
        with self._world.lock:
            if not self._world.faults.remove(request.path_params["id"]):
                raise ValueError(f"there is no fault {request.path_params['id']}")
        return {"ok": True}

    def move_repository(self, request: Request, body: Body) -> Body:
        return {"packages": self._world.move_repository(request.path_params["name"])}

    def foreign_operation(self, request: Request, body: Body) -> Body:
        return {"command_id": self._world.foreign_operation([_text(body, "node")], _text(body, "operation"))}

    def set_alarm(self, request: Request, body: Body) -> Body:
        """`{"name", "state"}`, and `account` and `region` where only one of several alarms of that name is meant."""
        unknown = set(body) - {"name", "state", "account", "region"}
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        narrower = {key: _text(body, key) for key in ("account", "region") if key in body}
        self._world.set_alarm(_text(body, "name"), _text(body, "state"), **narrower)
        return {"ok": True}

    def change_node(self, request: Request, body: Body) -> Body:
        node_id = request.path_params["id"]
        if not body or set(body) - {"power", "agent"}:
            raise ValueError("give power, agent or both")
        with self._world.lock:
            if "power" in body:
                self._world.set_power(node_id, _text(body, "power"))
            if "agent" in body:
                self._world.set_agent(node_id, _text(body, "agent"))
            return self._node(self._world.node(node_id), self._world.advance())

    def log(self, request: Request, body: Body) -> list[Body]:
        after = request.query_params.get("after", "0")
        if not after.isdigit():
            raise ValueError(f"after is {after!r}; it is a number")
        with self._world.lock:
            calls = self._world.ssm_log.after(int(after))
        return [{**asdict(call), "at": call.at.isoformat()} for call in calls]

    def _environment(self, environment: Environment, now: datetime) -> Body:
        nodes = self._world.region(environment.account, environment.region).nodes
        return {
            "name": environment.name,
            "account": environment.account,
            "region": environment.region,
            "production": environment.production,
            "nodes": [self._node(nodes[node.id], now) for node in environment.nodes],
        }

    def _node(self, node: ManagedNode, now: datetime) -> Body:
        command = self._world.region(node.account, node.region).commands.get(node.running or "")
        baseline = self._world.baseline_of(node)
        return {
            "id": node.id,
            "name": node.name,
            "platform": f"{node.platform.name} {node.platform.version}",
            "power": node.power,
            "agent": "rebooting" if node.rebooting else node.agent,
            "running": command.values.get("Operation") if command else None,
            "missing": self._missing.of(node, baseline, now),
            "pending_reboot": node.pending_reboot,
            "failing": sorted(node.failing),
        }


def _route(path: str, method: str, handler: Handler) -> Route:
    async def endpoint(request: Request) -> JSONResponse:
        try:
            body = await _body(request)
            return JSONResponse(await run_in_threadpool(handler, request, body))
        except KeyError as unknown:
            return JSONResponse({"error": f"there is no {unknown.args[0]}"}, 400)
        except SsmError as refused:
            return JSONResponse({"error": refused.message}, 400)
        except ValueError as bad:
            return JSONResponse({"error": str(bad)}, 400)

    return Route(path, endpoint, methods=[method], middleware=[Middleware(SameOrigin)])


async def _body(request: Request) -> Body:
    raw = await request.body()
    try:
        body = json.loads(raw) if raw else {}
    except ValueError as bad:
        raise ValueError("the body is not JSON") from bad
    if not isinstance(body, dict):
        raise ValueError("the body is a JSON object")
    return body


def _number(body: Body, name: str) -> float:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is a number")
    return float(value)


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is a text")
    return value


def _fault(fault: Fault) -> Body:
    return {
        "id": fault.id,
        "service": fault.service,
        "operation": fault.operation,
        "kind": fault.kind,
        "left": fault.left,
    }
