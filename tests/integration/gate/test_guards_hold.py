"""The guards behind the gate: who may approve, what an approval is bound to, and what is looked at before the send.

The mutation run (tests/mutation) leaves out each of them, and each time a test here fails.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sandbox.data.made_up import next_version
from tests.integration.gate.world import (
    BLOCKED,
    CHANNEL,
    OPENSSL_NEW,
    PENDING,
    answer_to_click,
    ask,
    buttons,
    failing,
    for_app,
    forged_approve,
    judged,
    node_ids,
    production_installs,
    ref_in,
    report_card,
    spare_id,
    tag,
)
from tests.town import Message, Town, wait_for, words_of


def pending(town: Town, app: str, user: str = "U0ANN") -> tuple[str, Message]:
    ref = ask(town, app, user)
    card = judged(town, ref)
    assert PENDING in words_of(card), words_of(card)
    return ref, card


def still_pending(town: Town, app: str, ref: str) -> None:
    assert PENDING in words_of(town.card(ref, channel=CHANNEL))
    assert production_installs(town, app) == []


def ended(town: Town, ref: str) -> Message:
    """The change's card once nothing more will happen to it."""

    def find() -> Message | None:
        card = town.card(ref, channel=CHANNEL)
        return card if any(words in words_of(card) for words in ("Superseded", "*Done.*")) else None

    return wait_for(find, f"the end of {ref}")


@contextmanager
def time_stands_still(town: Town) -> Iterator[None]:
    """Nothing ends at AWS meanwhile; the bot goes on."""
    clock = town.around.clock
    rate = clock.rate
    clock.set_rate(0)
    yield
    clock.set_rate(rate)


# --- Who may approve


@for_app("own-request")
def test_I4_who_asked_does_not_approve_though_an_approver(town: Town, app: str) -> None:
    ref, card = pending(town, app, "U0OLA")
    assert "You asked for" in answer_to_click(town, "U0OLA", card, ref)
    still_pending(town, app, ref)


@for_app("asked-again")
def test_I4_who_asked_for_what_it_replaces_does_not_approve(town: Town, app: str) -> None:
    stray = node_ids(town, app, "nonprod")[0]
    tag(town, "nonprod", stray, Environment="production")
    assert BLOCKED in words_of(judged(town, ask(town, app, "U0OLA")))
    tag(town, "nonprod", stray, Environment="nonproduction")
    ref, card = pending(town, app, "U0ANN")
    assert "You asked for" in answer_to_click(town, "U0OLA", card, ref)
    still_pending(town, app, ref)


@for_app("no-role")
def test_I4_without_the_role_nobody_approves(town: Town, app: str) -> None:
    ref, card = pending(town, app)
    assert "approver role" in answer_to_click(town, "U0EVE", card, ref)
    still_pending(town, app, ref)


@for_app("role-lost")
def test_I4_an_approver_who_lost_the_role_before_the_send_counts_no_more(town: Town, app: str) -> None:
    _, card = pending(town, app)
    groups = town.around.workspace.directory.groups
    oncall = groups["S0ONCALL"]
    with time_stands_still(town):
        town.click("U0OLA", card, "approve")
        ref = ref_in(words_of(card))
        town.card(ref, "Both environments are scanned again", channel=CHANNEL)
        groups["S0ONCALL"] = replace(oncall, users=("U0KIM",))
    try:
        after = ended(town, ref)
    finally:
        groups["S0ONCALL"] = oncall
    assert production_installs(town, app) == []
    assert "0 of 1 approvers needed" in words_of(after)


# --- What an approval is bound to


@for_app("other-digest")
def test_I3_an_approve_that_shows_another_digest_is_refused(town: Town, app: str) -> None:
    ref, _ = pending(town, app)
    assert "has changed since that message" in answer_to_click(town, "U0OLA", forged_approve(town, ref, "0" * 64), ref)
    still_pending(town, app, ref)


@for_app("drift")
def test_I3_a_repository_that_moves_before_the_send_supersedes_the_change(town: Town, app: str) -> None:
    ref, card = pending(town, app)
    town.around.world.move_repository(app)
    town.click("U0OLA", card, "approve")
    after = ended(town, ref)
    assert "Superseded" in words_of(after)
    assert f"openssl.amd64 {OPENSSL_NEW.version} is gone from the repository, which offers" in words_of(after)
    assert f"First: openssl.amd64 {next_version(OPENSSL_NEW.version)}" in words_of(after)
    assert buttons(after) == {"ask-again"}
    assert production_installs(town, app) == []


@for_app("node-joins")
def test_I3_a_node_that_joins_before_the_send_supersedes_the_change(town: Town, app: str) -> None:
    """The gate would pass: only the digest says that this is not what was approved."""
    ref, card = pending(town, app)
    joining = spare_id(town, app, "prod")
    tag(town, "prod", joining, PatchGroup=f"{app}-prod")
    town.click("U0OLA", card, "approve")
    after = ended(town, ref)
    assert "Superseded" in words_of(after)
    assert f"node {joining} joined" in words_of(after)
    assert production_installs(town, app) == []


@for_app("problem-late")
def test_I3_a_problem_reported_after_the_approval_stops_the_send(town: Town, app: str) -> None:
    ref, card = pending(town, app)
    installed = report_card(town, app)
    with time_stands_still(town):
        town.click("U0OLA", card, "approve")
        town.card(ref, "Both environments are scanned again", channel=CHANNEL)
        town.click("U0EVE", installed, "report-problem")
        assert town.submit("U0EVE", "disks are full")["ok"]
    assert "disks are full" in words_of(ended(town, ref))
    assert production_installs(town, app) == []


# --- What counts as evidence, and where nodes may stand


@for_app("foreign-scan")
def test_I8_somebody_elses_scan_is_no_evidence(town: Town, app: str) -> None:
    """Their Scan ends after ours and before ours was read: the node shows theirs."""
    world, nodes = town.around.world, node_ids(town, app, "prod")
    with time_stands_still(town):
        sent = len(town.sent("Scan"))
        ref = ask(town, app)
        wait_for(lambda: len(town.sent("Scan")) >= sent + 2, "the scans of both environments")
        with world.lock:
            for after in (lambda: world.foreign_operation(nodes, "Scan"), world.advance):
                town.jump(seconds=10)
                world.advance()
                after()
    card = judged(town, ref)
    assert BLOCKED in words_of(card)
    assert "Every node seen" in failing(card)
    assert "approve" not in buttons(card)
    assert production_installs(town, app) == []


@for_app("foreign-install")
def test_I8_what_somebody_else_installed_does_not_soak(town: Town, app: str) -> None:
    world = town.around.world
    world.move_repository(app)
    command = world.foreign_operation(node_ids(town, app, "nonprod"), "Install")
    region = world.region("111111111111", "eu-west-1")
    wait_for(lambda: world.advance() and all(each.terminal for each in region.commands[command].invocations), "its end")
    card = judged(town, ask(town, app))
    assert failing(card) == {"Soak over"}, words_of(card)
    assert production_installs(town, app) == []


@for_app("misplaced")
def test_I13_a_node_tagged_production_blocks_an_install_outside_production(town: Town, app: str) -> None:
    stray = node_ids(town, app, "nonprod")[0]
    tag(town, "nonprod", stray, Environment="prod")
    before = len(town.sent())
    ref = ref_in(town.command("U0ANN", f"/patch install {app} nonprod", CHANNEL))

    def end() -> Message | None:
        card = town.card(ref, channel=CHANNEL)
        return card if any(word in words_of(card) for word in ("Failed", "Done")) else None

    assert stray in words_of(wait_for(end, f"the end of {ref}"))
    assert len(town.sent()) == before
