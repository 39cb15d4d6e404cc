"""More stories on the page: something moves while the approval is on its way, an approval on a phone, and an Install in
waves that is paused and continued."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browser_evidence import (
    check_every_command,
    installed_on,
    installs_by_node,
    rows_installed,
    sent_to,
)
from tests.e2e.browser_people import Desk, at_a_desk
from tests.e2e.page import chromium
from tests.town import Town, open_town

pytestmark = pytest.mark.browser

PHONE = 390  # pixels
RATE, FAST = 20, 60  # sandbox seconds in one of ours


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(tmp_path_factory.mktemp("town"), rate=RATE) as town:
        yield town


def pending(desk: Desk, application: str, jumps: int) -> str:
    """Install in non-production, let it soak (eight days a jump) and ask for production; the change's id."""
    desk.sees(desk.ask(f"/patch install {application} nonprod"), "Done")
    for _ in range(jumps):
        desk.jump_eight_days()
    ref = desk.ask(f"/patch install {application} prod")
    desk.sees(ref, "Waits for approval")
    return ref


def test_I3_a_repository_that_moves_before_the_approval_supersedes_the_change(browser: Browser, town: Town) -> None:
    with at_a_desk(browser, town, "U0ANN", "C0SEARCH") as desk:
        ref = pending(desk, "search-db", jumps=4)
        desk.become("U0OLA")
        desk.move_repository("search-db")
        desk.approve(desk.card(ref), "search-db")
        card = desk.sees(ref, "Superseded", "Approved by @Ola Nowak", "is gone from the repository, which offers")
        expect(card.get_by_test_id("block-button")).to_have_text(["Ask again"])
    assert sent_to(town, "search-db", "prod", "Install") == []
    assert installed_on(town, "search-db", "prod") == []
    check_every_command(town, "search-db")


def test_an_approval_in_a_narrow_window(browser: Browser, town: Town) -> None:
    with at_a_desk(browser, town, "U0ANN", "C0ORDERS") as desk:
        ref = pending(desk, "orders-db", jumps=1)
    with at_a_desk(browser, town, "U0OLA", "C0ORDERS", width=PHONE) as phone:
        card = phone.sees(ref, "Waits for approval")
        phone.press(card, "Approve")
        phone.page.get_by_test_id("modal-close").click()
        expect(card).to_contain_text("Waits for approval")
        phone.approve(card, "orders-db")
        phone.sees(ref, "Done.", "Approved by @Ola Nowak")
        assert phone.page.evaluate("document.documentElement.scrollWidth") == PHONE
    assert set(installs_by_node(town, "orders-db", "prod").values()) == {1}
    check_every_command(town, "orders-db")


def test_an_install_in_waves_is_paused_after_its_canary_and_continued(browser: Browser, town: Town) -> None:
    """orders-ha: a replica is the canary; the primary waits until somebody continues."""
    primary, replica = (node.id for node in town.around.world.fleet.environment("orders-ha", "nonprod").nodes)
    clock = town.around.clock
    with at_a_desk(browser, town, "U0ANN", "C0ORDERSHA") as desk:
        clock.set_rate(0)  # the run stands in its first wave until Pause is pressed
        ref = desk.ask("/patch install orders-ha nonprod")
        run = desk.sees(ref, "Wave 1 of 2, canary: installation ended on 0/1 node.")
        desk.press(run, "Pause")
        desk.sees(ref, "Pausing after wave 1 of 2 (canary)")
        clock.set_rate(FAST)
        desk.sees(ref, "Paused after wave 1 of 2 (canary)", "Nothing is sent until somebody continues")
        (first,) = sent_to(town, "orders-ha", "nonprod", "Install")
        assert first.params["InstanceIds"] == [replica]
        assert rows_installed(town, "orders-ha", "nonprod").keys() == {replica}
        assert missing(town, primary) == 32

        desk.press(run, "Continue")
        expect(desk.page.get_by_test_id("confirm")).to_contain_text("Wave 2 of 2 (Role=primary) begins: 1 node.")
        desk.page.get_by_test_id("confirm-ok").click()
        desk.sees(ref, "Done on 2 nodes", "32 patches installed, on 2 nodes.")
        clock.set_rate(RATE)

    sent = sent_to(town, "orders-ha", "nonprod", "Install")
    assert [(call.params["InstanceIds"], call.outcome) for call in sent] == [([replica], "ok"), ([primary], "ok")]
    assert {call.params["DocumentName"] for call in sent} == {"AWS-RunPatchBaselineWithHooks"}
    (rows,) = set(rows_installed(town, "orders-ha", "nonprod").values())
    assert len(rows) == 32
    for node_id in (replica, primary):
        assert missing(town, node_id) == 0
        application = town.around.world.node(node_id).application
        assert (application.updates, application.healthy) == (1, True), "the hooks ran"


def missing(town: Town, node_id: str) -> int:
    """Rows that are Missing in the node's newest report."""
    report = town.around.world.node(node_id).report
    assert report
    return sum(row.state == "Missing" for row in report.rows)
