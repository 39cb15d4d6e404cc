"""Pause, Continue and Cancel as people click them: over a socket, over a restart, twice at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from patching.states import RunState
from storage import audit
from tests.integration.small_town import CHANNEL, ask, fleet_of, heard, planted, run_of
from tests.integration.test_decisions import at_once
from tests.town import Town, has_button, open_town, wait_for, words_of

RATE = 20.0  # of the town's clock, where it does not stand still


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Non-production in two waves: a canary, then two nodes."""
    with open_town(tmp_path, fleet_of(["app"], nonprod=3), rate=RATE, started=False) as opened:
        path = Path(opened.environment["PATCHGATE_CONFIG"])
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        document["applications"]["app"]["canary"] = 1
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        opened.start()
        yield opened


def test_I4_paused_over_a_restart_continued_paused_again_and_cancelled_by_two_at_once(town: Town) -> None:
    faults = town.around.world.faults
    held = faults.add("ssm", "SendCommand", "throttling", times=10**6)
    ref = ask(town, "/patch install app nonprod")
    card = town.card(ref, "Before wave 1 of 2", channel=CHANNEL)
    told = "Only those who asked for install-1, and operators, can pause it; nothing was done."
    assert told in town.click_and_hear("U0EVE", card, "pause-run")
    assert "pauses before its first wave" in town.click_and_hear("U0BEN", card, "pause-run")
    card = town.card(ref, "*Paused* before wave 1 of 2", "by <@U0BEN>", channel=CHANNEL)
    assert not has_button(card, "pause-run")
    assert "install-1 is paused already, by <@U0BEN>" in town.command("U0ANN", f"/patch pause {ref}", CHANNEL)

    assert faults.remove(held.id)
    town.stop()
    town.around.clock.set_rate(0)
    town.start()
    card = town.card(ref, "*Paused* before wave 1 of 2", "Patchgate was restarted", channel=CHANNEL)
    assert [call.outcome for call in town.sent() if call.outcome == "ok"] == []
    assert "goes on with wave 1 of 2 (canary)" in town.click_and_hear("U0ANN", card, "continue-run")
    card = town.card(ref, "Scanning.", "Wave 1 of 2, `canary`: installation ended on 0/1 node.", channel=CHANNEL)

    assert "pauses after wave 1 of 2 (canary)" in town.click_and_hear("U0ANN", card, "pause-run")
    town.card(ref, "*Pausing* after wave 1 of 2 (`canary`), asked by <@U0ANN>", channel=CHANNEL)
    town.around.clock.set_rate(RATE)
    card = town.card(ref, "*Paused* after wave 1 of 2 (`canary`) by <@U0ANN>, since", channel=CHANNEL)
    at_once(lambda: town.click("U0BEN", card, "cancel-run"), lambda: town.click("U0ANN", card, "cancel-run"))
    ended = town.card(ref, "*Cancelled.* By <@U0", "*Installed and verified*: `app-nonprod-", channel=CHANNEL)
    assert "2 nodes will be left alone" in wait_for(
        lambda: heard(town, "U0BEN", "will be left alone") or heard(town, "U0ANN", "will be left alone"), "one to win"
    )
    wait_for(
        lambda: heard(town, "U0BEN", "cancelled already") or heard(town, "U0ANN", "cancelled already"), "one to lose"
    )
    assert not any(has_button(ended, action) for action in ("cancel-run", "pause-run", "continue-run"))
    assert words_of(ended).partition("*Left alone*: ")[2].count("`app-nonprod-") == 2
    assert run_of(town, ref).state is RunState.CANCELLED
    (done,) = town.around.world.installs()
    assert len(done.node_ids) == 1

    old = planted(town, card, "cancel-run", {"run": "install-99"})
    assert "There is no install-99; nothing was done" in town.click_and_hear("U0ANN", old, "cancel-run")
    old = planted(town, card, "continue-run", {"run": 1})
    assert "is not a run; nothing was done" in town.click_and_hear("U0ANN", old, "continue-run")
    assert town.bot
    assert audit.first_broken(town.bot.store.db) is None
