"""Four applications with a monthly window each, in four time zones, and whom each of them concerns."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sandbox.aws.fleet import Application, Environment, Fleet, Repository, Window
from sandbox.environments import environment
from sandbox.fleet import BASELINE
from tests.months.almanac import Rule, Timeline
from tests.months.judge import Place

OWNER = "U0EVE"  # of all four: her direct messages tell whether they keep their order
SUBSCRIBER = ("kathmandu", "U0KIM")


@dataclass(frozen=True, slots=True)
class House:
    """An application's one environment, `nonprod`, and its window."""

    name: str
    timezone: str
    rule: Rule
    channel: str
    contact: str  # an address in the tags of its node

    @property
    def window(self) -> str:
        """Its name in AWS."""
        return f"{self.name}-nonprod"

    @property
    def places(self) -> frozenset[Place]:
        found: set[Place] = {
            ("channel", self.channel),
            ("user", OWNER),
            ("email", f"{self.name}-team@example.com"),
            ("email", self.contact),
        }
        return frozenset(found | ({("user", SUBSCRIBER[1])} if self.name == SUBSCRIBER[0] else set()))


# Both zones that change on Sundays have windows on Sundays, some hours after the change; two share a channel.
HOUSES = (
    House("berlin", "Europe/Berlin", Rule("last sun", 4, 0), "C0ORDERS", "anna@example.com"),
    House("newyork", "America/New_York", Rule("2nd sun", 4, 30), "C0BILLING", "bob@example.com"),
    House("kathmandu", "Asia/Kathmandu", Rule("last", 22, 15), "C0SEARCH", "anna@example.com"),
    House("lordhowe", "Australia/Lord_Howe", Rule("1st sun", 5, 0), "C0ORDERS", "carla@example.com"),
)


def timelines(begin: datetime) -> dict[str, Timeline]:
    return {house.window: Timeline(house.timezone, [(begin, house.rule)]) for house in HOUSES}


def fleet() -> Fleet:
    return Fleet(
        tuple(Application(house.name, (_environment(house),), house.channel) for house in HOUSES),
        tuple(Repository(house.name) for house in HOUSES),
        (BASELINE,),
    )


def _environment(house: House) -> Environment:
    made = environment(house.name, "nonprod", 1, (), baseline=BASELINE.name)
    nodes = tuple(replace(node, tags={**node.tags, "Contact": house.contact}) for node in made.nodes)
    return replace(made, nodes=nodes, window=Window(house.rule.expression, house.timezone))


def config(document: dict[str, Any]) -> dict[str, Any]:
    """The fleet's patchgate.yaml with what the tale is about."""
    return {**document, "notices": {"leads": ["7d", "24h", "1h"], "tags": {"emails": "Contact"}}}
