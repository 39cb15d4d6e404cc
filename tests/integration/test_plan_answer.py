"""`/patch plan APP ENV`: what an Install would do, before anybody asks for it (issue 4, 1)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.rendering import render
from bot.views.tables import Flavour
from commands.install import Install
from commands.plan import Plan
from sandbox.fleet import NONPRODUCTION, PRODUCTION, REGION
from scheduler import inquiries
from storage import audit, runs, steps
from tests.integration.small_house import asked, built, card, owed, proven, words
from tests.integration.small_town import fleet_of
from tests.integration.test_record import fetch
from tests.stateful.house import House
from tests.stateful.street import Street
from tests.town import Message, open_town, wait_for, words_of

CHANNEL = "C0PATCHING"
EXAMPLES = Path(__file__).parents[2] / "deploy" / "ssm"


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("plan"), fleet_of([f"app-{number:02}" for number in range(8)], prod=2))
    yield opened
    opened.close()


def with_documents(house: House, *paths: str) -> House:
    """Documents of deploy/ssm, in both accounts."""
    for account in (NONPRODUCTION, PRODUCTION):
        library = house.world.region(account, REGION).library
        for path in paths:
            name = Path(path).stem
            if name not in library.names():
                content = (EXAMPLES / path).read_text(encoding="utf-8")
                library.create(name, content, "YAML", house.clock.now(), account)
    return house


def answer(house: House, environment: str = "prod", user: str = "U0EVE") -> dict[str, Any]:
    """Ask, let the sweep look, and read the newest answer's payload."""
    house.ask(Plan(house.prod if environment == "prod" else house.nonprod), user)
    inquiries.tick(house.parts, house.clock.now())
    return dict(owed(house, "plan")[-1].payload)


def kinds(payload: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(step["wave"], step["kind"], step["document"]) for step in payload["plan"]]


BASELINE = "AWS-RunPatchBaseline"


def test_I3_production_s_plan_is_the_one_that_an_approval_is_bound_to(street: Street) -> None:
    house = with_documents(proven(street), "examples/CheckOrders.yaml", "examples/DumpOrders.yaml")
    house.restart(
        canary=1,
        health={"document": "CheckOrders", "wait": "5m", "alarms": ["orders-5xx"]},
        backup={"kind": "snapshots", "document": "DumpOrders"},
    )
    told = answer(house)
    wave = [("gate", BASELINE), ("install", BASELINE), ("health", ""), ("health", "CheckOrders"), ("verify", BASELINE)]
    assert kinds(told) == [
        (0, "backup", "DumpOrders"),
        (0, "backup", ""),
        *((number, kind, document) for number in (1, 2) for kind, document in wave),
    ]
    assert all(step["pinned"] for step in told["plan"] if step["kind"] == "install")
    change = asked(house)
    assert change.parts
    assert change.parts["plan"] == told["plan"]
    (first, its_name), (_, second) = sorted((node["id"], node["name"]) for node in told["nodes"])
    sentence = f"2 waves: canary ({its_name}) → the rest ({second}); DumpOrders and snapshots first; health: 5 min, "
    assert f"*Plan*: {sentence}orders-5xx, CheckOrders; reboots if needed." in card(house)
    (details,) = owed(house, "change-details")
    (file,) = render(house.store, house.parts.config, details, Flavour.TABLE).attachments
    assert file.filename == f"{change.ref}-plan.txt"
    assert "   12 verify     AWS-RunPatchBaseline" in file.content
    text = words(house, owed(house, "plan")[-1])
    assert sentence in text
    assert f"{its_name} ({first})" in text


def test_elsewhere_it_is_what_would_be_sent(street: Street) -> None:
    """Without fresh evidence a scan comes first; nodes out of reach are left out, and named."""
    house = built(street)
    (node_id,) = house.node_ids("nonprod")
    told = answer(house, "nonprod")
    assert kinds(told) == [(1, "scan", BASELINE), (1, "install", BASELINE), (1, "verify", BASELINE)]
    house.ask(Install(house.nonprod), "U0ANN")
    house.settle()
    (run, *_) = runs.recent(house.store.db, 1)
    sent = steps.of_run(house.store.db, run.id)
    assert [(step.kind.value, step.parameters, step.settings) for step in sent] == [
        (step["kind"], {name: tuple(values) for name, values in step["parameters"].items()}, _settings(step))
        for step in told["plan"]
    ]
    assert kinds(answer(house, "nonprod")) == [(1, "install", BASELINE), (1, "verify", BASELINE)]
    house.world.set_power(node_id, "stop")
    assert "None of the 1 nodes of" in answer(house, "nonprod")["error"]


def _settings(step: dict[str, Any]) -> dict[str, Any]:
    names = ("wave_name", "step_seconds", "at_once", "errors", "reboot_seconds")
    return {name: step[name] for name in names if name in step}


def test_a_misspelt_tag_and_a_node_out_of_reach_are_named(street: Street) -> None:
    house = built(street)
    house.restart(waves=[{"tag:Roel": ["replica"]}])
    (production,) = (each for each in house.application.environments if each.name == "prod")
    stopped = production.nodes[1]
    house.world.set_power(stopped.id, "stop")
    assert answer(house)["notes"] == [
        "waves: no node has Roel=replica.",
        f"{stopped.name} is not running with the agent online, so the gate will not pass.",
    ]
    assert ":warning: waves: no node has Roel=replica." in words(house, owed(house, "plan")[-1])


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"hooks": {"pre_install": "NobodyMadeIt"}}, "NobodyMadeIt"),
        ({"health": {"document": "NobodyMadeIt"}}, "NobodyMadeIt"),
        ({"backup": {"document": "NobodyMadeIt"}}, "NobodyMadeIt"),
    ],
    ids=["hook", "health", "backup"],
)
def test_a_document_that_is_missing_is_one_sentence(street: Street, keys: dict[str, Any], said: str) -> None:
    house = with_documents(built(street), "Patchgate-InstallWithHooks.yaml")
    house.restart(**keys)
    told = answer(house)
    assert said in told["error"]
    assert "plan" not in told
    assert f"There is no plan for {house.name} prod: " in words(house, owed(house, "plan")[-1]).replace("*", "")


def test_it_is_for_the_one_who_asked_written_down_and_sends_nothing(street: Street) -> None:
    house = built(street)
    sent = len(house.sent())
    answer(house)
    (told,) = owed(house, "plan")
    assert (told.medium, told.recipient) == ("ephemeral", "C0PATCHING U0EVE")
    assert [row.action for row in audit.rows(house.store.db)][-1] == "plan asked"
    assert len(house.sent()) == sent


def test_somebody_without_a_role_asks_in_slack_and_a_long_plan_comes_as_a_file(tmp_path: Path) -> None:
    """Eve is answered alone: with every step where a message has room for them, else by direct message too."""
    with open_town(tmp_path, fleet_of(["app-01"], nonprod=2, prod=150)) as town:

        def answered(environment: str, words: str) -> str:
            assert "is being made" in town.command("U0EVE", f"/patch plan app-01 {environment}", CHANNEL)

            def found() -> str:
                told = [words_of(each) for each in town.ephemerals("U0EVE", CHANNEL)]
                return next((text for text in told if words in text), "")

            return wait_for(found, "the answer")

        short = answered("nonprod", "1 wave: app-01-nonprod-1 and app-01-nonprod-2, 1 at once; reboots")
        assert "    3 verify     AWS-RunPatchBaseline" in short
        long = answered("prod", "1 wave: 150 nodes, 75 at once; reboots if needed.")
        assert "Every step is in the file that comes as a direct message." in long
        assert "verify" not in long

        def attached() -> list[Message]:
            return [reply for each in town.dms("U0EVE") for reply in town.replies(each, "U0EVE") if reply["files"]]

        (file,) = wait_for(attached, "the file")[0]["files"]
        assert file["name"] == "app-01-prod-plan.txt"
        text = fetch(town, file["url"])
        nodes = town.around.world.fleet.environment("app-01", "prod").nodes
        assert all(f"app-01-prod-{number} ({node.id})" in text for number, node in enumerate(nodes, start=1))
        assert not [each for each in town.messages(CHANNEL) if "Plan" in each["text"] and not each["ephemeral"]]
