"""The town of small applications that the tests here share, a module at a time."""

import json
from collections.abc import Iterator

import pytest

from sandbox.aws.iam import NODE_ROLE, READS_LISTS
from tests.integration.gate.world import ask_for_no_backup, console, gate_fleet, let_ola_ask, soak
from tests.town import Town, open_town


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Town]:
    """The applications that the chosen tests need, each its own, installed in non-production eight days ago."""
    chosen = [item for item in request.session.items if item.path == request.path]
    names = list(dict.fromkeys(item.callspec.params["app"] for item in chosen if hasattr(item, "callspec")))
    with open_town(tmp_path_factory.mktemp("town"), gate_fleet(names), started=False) as town:
        let_ola_ask(town)
        ask_for_no_backup(town)
        town.start()
        soak(town, names)
        yield town


@pytest.fixture
def app(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def as_configured(town: Town) -> Iterator[None]:
    """The configuration of before for whoever comes next; the bot reads it at its start."""
    path = town.folder / "patchgate.yaml"
    before = path.read_text(encoding="utf-8")
    yield
    if path.read_text(encoding="utf-8") != before:
        town.stop()
        path.write_text(before, encoding="utf-8")
        town.start()


@pytest.fixture
def as_allowed(town: Town) -> Iterator[None]:
    """What production's nodes may read, for whoever comes next."""
    iam, policy = console(town, "iam", "prod"), {"RoleName": NODE_ROLE, "PolicyName": READS_LISTS}
    before = json.dumps(iam.get_role_policy(**policy)["PolicyDocument"])
    yield
    iam.put_role_policy(**policy, PolicyDocument=before)
