"""A world of small applications, one for each way in which the gate must hold, all installed and soaked at once."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
import yaml
from slack_sdk import WebClient

from sandbox.aws.fleet import Application, Environment, Fleet, Node, Package, Release
from sandbox.fleet import NONPRODUCTION, PRODUCTION, REGION, small_fleet
from storage import changes
from tests.town import Message, Town, button_of, wait_for, words_of

BASH = Package("bash", "amd64", "5.2.15-2")
OPENSSL = Package("openssl", "amd64", "3.0.15-1~deb12u1", suite="security")
OPENSSL_NEW = replace(OPENSSL, version="3.0.16-1~deb12u1")
CHANNEL = "C0PATCHING"
STRICT = "acme-debian-12-strict"
ALARM = "slow-queries"
SPARE = "spare"  # the patch group of nodes that stand in no environment yet
BLOCKED, PENDING = "Blocked by the gate", "Waits for approval"

FailsWith = Callable[[Town, str], None]


@dataclass(frozen=True)
class Situation:
    """One check's title, what makes it fail in a soaked application, and the one button that its card offers.

    `with_it`: titles of the checks that look at the same fact and fail too. `shows`: words of a warning.
    """

    title: str
    arise: FailsWith
    button: str | None = None
    with_it: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()


def gate_fleet(applications: Iterable[str]) -> Fleet:
    """Two nodes in each environment with one security update on offer, and what single stories need besides."""
    single = [
        small_fleet(nonprod=2, prod=2, packages=(BASH, OPENSSL), releases=(Release(OPENSSL_NEW),), application=name)
        for name in applications
    ]
    baseline = single[0].baselines[0]
    strict = replace(baseline, name=STRICT, rejected=("telnet",))
    return Fleet(
        tuple(_special(each.applications[0]) for each in single),
        tuple(each.repositories[0] for each in single),
        (baseline, strict),
    )


def _special(application: Application) -> Application:
    nonprod, prod = application.environments
    policy: dict[str, object] = {}
    match application.name:
        case "soak-over":
            policy = {"soak": "30d"}
        case "alarms-quiet":
            return replace(application, policy={"alarms": [ALARM]}, alarms=(ALARM,))
        case "install-verified" | "foreign-install":
            # An Install of which nobody knows what it changed restarts the soak; here what soaks is over at once.
            policy = {"soak": "1s"}
        case "inside-window" | "fits-window":
            policy = {"window": "required"}
        case "same-baseline":
            prod = replace(prod, baseline=STRICT)
        case "something-to-install":
            prod = replace(prod, nodes=tuple(replace(node, packages=(BASH, OPENSSL_NEW)) for node in prod.nodes))
        case "nodes-succeeded":
            nonprod = _with_spare(nonprod, OPENSSL_NEW)
        case "node-joins":
            prod = _with_spare(prod, OPENSSL)
    return replace(application, environments=(nonprod, prod), policy=policy)


def _with_spare(environment: Environment, openssl: Package) -> Environment:
    first = environment.nodes[0]
    name = f"{environment.patch_group}-{SPARE}"
    tags = {**first.tags, "Name": name, "PatchGroup": SPARE}
    spare = Node(name, (BASH, openssl), first.repository, tags=tags)
    return replace(environment, nodes=(*environment.nodes, spare))


def for_app(*names: str) -> pytest.MarkDecorator:
    """Each test has an application of its own; the town prepares those of the chosen tests (conftest.py)."""
    return pytest.mark.parametrize("app", names, indirect=True)


def let_ola_ask(town: Town) -> None:
    """Before the bot starts: Ola, who may approve, becomes an operator too, so that only I4 stands in her way."""
    configure(town, lambda config: config["access"]["operator"]["users"].append("U0OLA"))


def ask_for_no_backup(town: Town) -> None:
    """Before the bot starts: by default their lack is a warning in every application."""
    none = {"instance": "off", "database": "off"}
    configure(town, lambda config: [each.update(backup=dict(none)) for each in config["applications"].values()])


def configure(town: Town, change: Callable[[dict[str, Any]], object]) -> None:
    path = town.folder / "patchgate.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(config)
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def soak(town: Town, applications: Iterable[str]) -> None:
    """Install in every non-production and let eight days pass: now only what a test does stands in the way."""
    for name in applications:
        town.command("U0ANN", f"/patch install {name} nonprod", CHANNEL)
    for number, _ in enumerate(applications, start=1):
        town.card(f"install-{number}", "Done", channel=CHANNEL)
    town.jump(days=8)


# --- Asking and deciding


def ask(town: Town, application: str, user: str = "U0ANN") -> str:
    """`/patch install APP prod`; the change's id."""
    answer = town.command(user, f"/patch install {application} prod", CHANNEL)
    assert "change-" in answer, answer
    return ref_in(answer)


def ref_in(answer: str) -> str:
    """The id that an answer names first."""
    found = re.search(r"\b(scan|install|change)-\d+", answer)
    assert found, answer
    return found[0]


def digest_of(town: Town, ref: str) -> str:
    """What an Approve of the change would have to carry; its message shows only the first twelve characters."""
    assert town.bot
    digest = changes.get(town.bot.store.db, int(ref.removeprefix("change-"))).digest
    assert digest
    return digest


def answer_to_click(town: Town, user: str, message: Message, ref: str) -> str:
    """What the person is told about their click, or the change's card where the click has moved it."""
    known = {each["ts"] for each in town.ephemerals(user, CHANNEL)}
    before = words_of(card_of(town, ref))
    town.click(user, message, "approve")

    def find() -> str | None:
        news = [words_of(each) for each in town.ephemerals(user, CHANNEL) if each["ts"] not in known]
        now = words_of(card_of(town, ref))
        moved = now if PENDING in before and PENDING not in now else None
        return news[0] if news else moved

    return wait_for(find, f"an answer to {user}'s click")


def card_of(town: Town, ref: str) -> Message:
    return town.card(ref, channel=CHANNEL)


def judged(town: Town, ref: str) -> Message:
    """The change's card once the gate has spoken, either way."""

    def find() -> Message | None:
        cards = [each for each in town.messages(CHANNEL) if f"{ref} " in each["text"] and not each["ephemeral"]]
        return next((card for card in cards if any(words in words_of(card) for words in (BLOCKED, PENDING))), None)

    return wait_for(find, f"the gate's word on {ref}")


def failing(card: Message) -> set[str]:
    """The titles of the checks that fail."""
    return set(re.findall(r":x: \*(.+?)\*:", words_of(card))) - {BLOCKED}


def warning(words: str) -> set[str]:
    """The titles of the checks that warn, in a card or in an approval's form."""
    return set(re.findall(r":warning: \*(.+?)\*:", words))


def open_form(town: Town, user: str, card: Message) -> str:
    """Click Approve and read the form, which stays open."""
    block, button = button_of(card, "approve")
    clicked = {"block_id": block["block_id"], "action_id": "approve", "value": button["value"]}
    town.post("/sandbox/slack/action", user=user, channel=card["channel"], ts=card["ts"], **clicked)
    view = wait_for(lambda: town.get(f"/sandbox/slack/view?user={user}")["view"], "the form")
    return words_of({"text": "", "blocks": view["blocks"]})


def report_card(town: Town, application: str) -> Message:
    """The card of the application's non-production Install, where anybody reports a problem."""
    return next(
        each
        for each in town.messages(CHANNEL)
        if f"{application} nonprod" in each["text"] and "report-problem" in buttons(each)
    )


def buttons(card: Message) -> set[str]:
    """Action ids of what a card offers, but for Withdraw, which whoever asked may do as long as nothing is decided."""
    elements = [element for block in card["blocks"] or [] for element in block.get("elements", ())]
    return {element["action_id"] for element in elements if "action_id" in element} - {"withdraw"}


def forged_approve(town: Town, ref: str, digest: str) -> Message:
    """A message of the bot's with an Approve button of our making: an old message, or somebody's meddling."""
    client = WebClient(token=town.environment["SLACK_BOT_TOKEN"], base_url=town.environment["SLACK_API_URL"])
    button = {
        "type": "button",
        "action_id": "approve",
        "text": {"type": "plain_text", "text": "Approve"},
        "value": json.dumps({"change": int(ref.removeprefix("change-")), "digest": digest}),
    }
    blocks = [{"type": "actions", "block_id": "forged", "elements": [button]}]
    ts = client.chat_postMessage(channel=CHANNEL, text="forged", blocks=blocks)["ts"]
    return next(each for each in town.messages(CHANNEL) if each["ts"] == ts)


# --- The world


def node_ids(town: Town, application: str, environment: str) -> list[str]:
    """Ids of the nodes that stand in the environment from the beginning."""
    nodes = town.around.world.fleet.environment(application, environment).nodes
    return [node.id for node in nodes if node.tags["PatchGroup"] != SPARE]


def spare_id(town: Town, application: str, environment: str) -> str:
    nodes = town.around.world.fleet.environment(application, environment).nodes
    return next(node.id for node in nodes if node.tags["PatchGroup"] == SPARE)


def console(town: Town, service: Any, environment: str) -> Any:
    """What somebody uses who has the account's own credentials."""
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=town.around.aws.url,
        aws_access_key_id=town.around.aws.base_key(PRODUCTION if environment == "prod" else NONPRODUCTION),
        aws_secret_access_key="sandbox",
    )


def tag(town: Town, environment: str, node_id: str, **tags: str) -> None:
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    console(town, "ec2", environment).create_tags(Resources=[node_id], Tags=pairs)


def production_installs(town: Town, application: str) -> list[Any]:
    """Install commands that were sent to any production node of the application, whatever was answered."""
    theirs = {node.id for node in town.around.world.fleet.environment(application, "prod").nodes}
    return [call for call in town.sent("Install") if theirs & set(call.params.get("InstanceIds", []))]
