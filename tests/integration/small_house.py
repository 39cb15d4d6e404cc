"""One small application with the bot's sweeps moved by hand: what people ask, what is owed to whom, what is sent.

No Slack: messages are rendered from the rows as `bot.delivery` would (I5).
"""

from datetime import timedelta

import pytest

from bot.rendering import render
from bot.views.modals import approve_modal
from bot.views.tables import Flavour
from commands.command import Command
from commands.decide import ApprovalForm, Decide
from commands.errors import Refused
from commands.install import Install
from commands.ports import Role
from commands.reports import change_report
from patching.gate import Outcome
from patching.states import RunState
from sandbox.aws.log import SsmCall
from storage import outbox, runs
from storage.changes import Change
from storage.outbox import Notice
from tests.stateful.house import House
from tests.stateful.street import Street
from tests.town import words_of
from tests.unit.storage.rows import notices

SOAKED = timedelta(days=8)


def people() -> dict[Role, set[str]]:
    """Ann and Ben ask, Ola, Kim and Lee approve; Ada, the admin, holds the approver role too."""
    return {
        Role.OPERATOR: {"U0ANN", "U0BEN"},
        Role.APPROVER: {"U0OLA", "U0KIM", "U0LEE", "U0ADA"},
        Role.ADMIN: {"U0ADA"},
    }


def built(street: Street, name: str | None = None, **policy: object) -> House:
    """An application that nobody has touched."""
    house = street.house(name, policy) if name else street.next_house(policy)
    house.people.held = people()
    return house


def proven(street: Street, name: str | None = None, *, soaked: timedelta = SOAKED, **policy: object) -> House:
    """The newest set is in non-production, and so much time has passed since."""
    house = built(street, name, **policy)
    install(house)
    house.jump(soaked)
    return house


def install(house: House) -> None:
    """The newest set into non-production."""
    house.ask(Install(house.nonprod), "U0ANN")
    house.settle()
    assert runs.recent(house.store.db, 1)[0].state is RunState.SUCCEEDED


def asked(house: House, user: str = "U0ANN", command: Command | None = None) -> Change:
    """A request for production, once the gate has spoken."""
    house.ask(command or Install(house.prod), user)
    house.settle()
    return newest(house)


def newest(house: House) -> Change:
    change = house.newest
    assert change
    return change


def approve(house: House, user: str, change: Change | None = None) -> None:
    """A form filled in as it should be. Raises Refused."""
    change = change or newest(house)
    form = ApprovalForm(has_read=True, backup="snapshot of last night", application=house.name)
    house.ask(Decide(change.id, "approve", change.digest or "", form=form), user)


def refused(house: House, command: Command, user: str) -> str:
    """The sentence of a refusal, after which nothing has been written."""
    before = house.commits()
    with pytest.raises(Refused) as refusal:
        house.ask(command, user)
    assert house.commits() == before
    return refusal.value.sentence


def decide_refused(house: House, user: str) -> str:
    change = newest(house)
    form = ApprovalForm(has_read=True, backup="snapshot of last night", application=house.name)
    return refused(house, Decide(change.id, "approve", change.digest or "", form=form), user)


def installs(house: House) -> list[SsmCall]:
    """Installs that SSM took for production's nodes."""
    production = house.node_ids("prod")
    return [
        call
        for call in house.sent()
        if call.params["Parameters"]["Operation"] == ["Install"] and production & set(call.params["InstanceIds"])
    ]


def failing(change: Change) -> set[str]:
    return {check.name for check in change.checks or () if check.outcome is Outcome.FAIL}


def outcome(change: Change, name: str) -> Outcome:
    return next(check.outcome for check in change.checks or () if check.name == name)


# --- Messages


def owed(house: House, kind: str) -> list[Notice]:
    return [notice for notice in notices(house.store) if notice.kind == kind]


def recipients(house: House, kind: str) -> list[str]:
    return sorted(notice.recipient for notice in owed(house, kind))


def words(house: House, notice: Notice) -> str:
    """Everything that can be read in a message."""
    rendering = render(house.store, house.parts.config, notice, Flavour.TEXT)
    return words_of({"text": rendering.text, "blocks": rendering.blocks})


def card(house: House, change: Change | None = None) -> str:
    found = outbox.card(house.store.db, (change or newest(house)).subject)
    assert found
    return words(house, found)


def modal(house: House, change: Change | None = None) -> str:
    """The form of an approval."""
    view = approve_modal(change_report(house.store, change or newest(house), house.parts.config))
    return words_of({"text": "", "blocks": view["blocks"]})
