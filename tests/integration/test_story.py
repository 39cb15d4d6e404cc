"""The main job end to end, without a page: what people type and click, and what SSM's own log says happened."""

from tests.town import Town, has_button, words_of


def test_from_scan_to_production(town: Town) -> None:
    assert "scan-1" in town.command("U0ANN", "/patch scan orders-db nonprod")
    town.card("scan-1", "Done", "32 patches missing")
    town.command("U0ANN", "/patch install orders-db nonprod")
    town.card("install-2", "Done", "32 patches installed")
    town.jump(days=8)
    town.command("U0ANN", "/patch install orders-db prod")
    card = town.card("change-1", "Waits for approval", "32 patches on 3 nodes")
    assert "somebody else has to approve" in town.click_and_hear("U0ANN", card, "approve")
    assert "approver role" in town.click_and_hear("U0EVE", card, "approve")
    town.click("U0OLA", card, "approve")
    done = town.card("change-1", "Done")
    assert not has_button(done, "approve")
    install = town.card("install-7", "Done")
    assert "PRODUCTION" in words_of(install)

    installs = town.sent("Install")
    assert [call.outcome for call in installs] == ["ok", "ok"]
    production = installs[1].params
    assert production["DocumentName"] == "AWS-RunPatchBaseline"
    assert len(production["InstanceIds"]) == 3
    assert production["Parameters"]["InstallOverrideList"][0].startswith("s3://acme-patchgate/lists/")
    done_by_nodes = town.around.world.installs()
    assert len(done_by_nodes) == 2
