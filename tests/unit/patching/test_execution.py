"""How an application is installed, in patchgate.yaml: the defaults, and what is wrong with path, value and what is
allowed."""

from datetime import timedelta
from typing import Any

import pytest

from patching.backups import Level
from patching.config import Application, ConfigurationError, validate
from patching.execution import BackupKind

LETTERS = "x" * 129


def application(**keys: Any) -> Application:
    environment = {"account": "111111111111", "region": "eu-west-1", "targets": {"tag:PatchGroup": ["orders-db"]}}
    written = {"environments": {"nonprod": environment}, **keys}
    return validate({"slack": {"channel": "C0PATCHING"}, "applications": {"orders-db": written}}).applications[
        "orders-db"
    ]


def test_defaults_are_those_of_the_issue() -> None:
    found = application()
    assert found.hooks.named == {}
    assert (found.waves, found.canary, found.ha_group, found.reboot) == ((), 0, None, "RebootIfNeeded")
    assert (found.rate.max_concurrency, found.rate.max_errors) == ("50%", "0")
    assert (found.health.document, found.health.alarms, found.health.wait) == (None, (), timedelta(0))
    times = found.timeouts
    assert (times.delivery, times.step, times.reboot) == (
        timedelta(minutes=10),
        timedelta(hours=2),
        timedelta(minutes=15),
    )
    backup = found.backup
    assert (backup.kind, backup.document, backup.max_age) == (BackupKind.NONE, None, timedelta(hours=24))
    assert (backup.instance, backup.database) == (Level.WARN, Level.WARN)


def test_yaml_s_own_spellings_are_understood() -> None:
    """A bare `off` is false to YAML, a bare 2 a number, and nothing at all null."""
    found = application(
        rate={"max_concurrency": 2, "max_errors": 0}, backup={"instance": False, "kind": None}, ha_group=None
    )
    assert (found.rate.max_concurrency, found.rate.max_errors) == ("2", "0")
    assert (found.backup.instance, found.backup.kind) == (Level.OFF, BackupKind.NONE)


def test_a_wave_is_a_list_of_tags_with_values() -> None:
    found = application(waves=[{"tag:Role": ["replica"]}, {"tag:Role": ["primary"], "tag:Zone": ["a", "b"]}])
    assert found.waves == ({"tag:Role": ("replica",)}, {"tag:Role": ("primary",), "tag:Zone": ("a", "b")})


DOCUMENT = "allowed is the name of a Command document (3 to 128 letters, digits and . _ -), or the ARN of a shared one."
WAVES = 'is a list of at most 20, each of 1 to 5 tags with their values, such as [{"tag:Role": [replica]}].'
UNKNOWN = "is not a known key; check its spelling and indentation."
# (what is written, what comes after "applications.orders-db."), each the only sentence.
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"canary": -1}, "canary is -1; allowed is a whole number from 0 to 50."),
    ({"canary": 51}, "canary is 51; allowed is a whole number from 0 to 50."),
    ({"canary": "1"}, "canary is '1'; allowed is a whole number from 0 to 50."),
    ({"canary": True}, "canary is true; allowed is a whole number from 0 to 50."),
    ({"canary": None}, "canary is empty; allowed is a whole number from 0 to 50."),
    ({"waves": [{}]}, "waves.0 is {}; it needs at least one entry."),
    ({"waves": [{"Role": ["x"]}]}, "waves.0.Role: 'Role' is no tag; write \"tag:NAME\"."),
    ({"waves": [{"tag:": ["x"]}]}, "waves.0.tag:: 'tag:' is no tag; write \"tag:NAME\"."),
    ({"waves": [{"tag:Role": []}]}, "waves.0.tag:Role is []; it needs at least one entry."),
    ({"waves": [{"tag:Role": "replica"}]}, f"waves.0.tag:Role is 'replica'; allowed {WAVES}"),
    ({"waves": [{"tag:Role": [1]}]}, f"waves.0.tag:Role.0 is 1; allowed {WAVES}"),
    ({"waves": [{"tag:Role": [""]}]}, f"waves.0.tag:Role.0 is ''; allowed {WAVES}"),
    ({"waves": {"tag:Role": ["x"]}}, f"waves is {{'tag:Role': ['x']}}; allowed {WAVES}"),
    ({"waves": [{f"tag:{n}": ["x"] for n in range(6)}]}, f"allowed {WAVES}"),
    ({"waves": [{"tag:Role": ["x"]}] * 21}, f"allowed {WAVES}"),
    ({"ha_group": "Cluster"}, "ha_group: 'Cluster' is no tag; write \"tag:NAME\"."),
    ({"ha_group": 5}, 'ha_group is 5; allowed is a tag such as "tag:Cluster".'),
    *(
        (
            {"rate": {"max_concurrency": value}},
            f"rate.max_concurrency is {shown}; allowed is a number of nodes such as 10, or a share from 1% to 100%.",
        )
        for value, shown in [("0%", "'0%'"), ("101%", "'101%'"), (-1, "'-1'"), (0, "'0'"), ("half", "'half'")]
    ),
    *(
        (
            {"rate": {"max_errors": value}},
            f"rate.max_errors is {shown}; allowed is a number of nodes such as 0, or a share from 0% to 99%.",
        )
        for value, shown in [("100%", "'100%'"), (-1, "'-1'"), ("0.5%", "'0.5%'"), (True, "true")]
    ),
    ({"rate": 5}, "rate is 5; allowed is a mapping with max_concurrency and max_errors."),
    ({"reboot": "maybe"}, "reboot is 'maybe'; allowed is RebootIfNeeded or NoReboot."),
    ({"reboot": False}, "reboot is false; allowed is RebootIfNeeded or NoReboot."),
    ({"timeouts": {"delivery": "5s"}}, "timeouts.delivery is '5s'; allowed is a duration from 30s to 48h."),
    ({"timeouts": {"delivery": "49h"}}, "timeouts.delivery is '49h'; allowed is a duration from 30s to 48h."),
    ({"timeouts": {"delivery": 600}}, "timeouts.delivery is 600; allowed is a duration from 30s to 48h."),
    ({"timeouts": {"step": "30s"}}, "timeouts.step is '30s'; allowed is a duration from 1m to 10h."),
    ({"timeouts": {"step": "11h"}}, "timeouts.step is '11h'; allowed is a duration from 1m to 10h."),
    ({"timeouts": {"reboot": "25h"}}, "timeouts.reboot is '25h'; allowed is a duration up to 24h."),
    ({"timeouts": {"reboot": "0s"}}, "timeouts.reboot is '0s'; allowed is a duration up to 24h."),
    ({"timeouts": []}, "timeouts is []; allowed is a mapping with delivery, step and reboot."),
    ({"health": {"wait": "-1s"}}, "health.wait is '-1s'; allowed is a duration such as 90s, 15m, 24h or 7d."),
    ({"health": {"wait": 5}}, "health.wait is 5; allowed is a duration such as 90s, 15m, 24h or 7d."),
    ({"health": {"alarms": "orders-5xx"}}, "health.alarms is 'orders-5xx'; allowed is names of CloudWatch alarms."),
    ({"health": {"document": "a b"}}, f"health.document is 'a b'; {DOCUMENT}"),
    ({"health": "CheckOrders"}, "health is 'CheckOrders'; allowed is a mapping with document, alarms and wait."),
    ({"hooks": {"pre_install": "a b"}}, f"hooks.pre_install is 'a b'; {DOCUMENT}"),
    ({"hooks": {"post_install": "ab"}}, f"hooks.post_install is 'ab'; {DOCUMENT}"),
    ({"hooks": {"on_exit": LETTERS}}, f"hooks.on_exit is '{'x' * 76}…; {DOCUMENT}"),
    (
        {"hooks": "DrainOrders"},
        "hooks is 'DrainOrders'; allowed is a mapping of pre_install, post_install and on_exit to names of "
        "Command documents.",
    ),
    ({"backup": {"kind": "tape"}}, "backup.kind is 'tape'; allowed is none, snapshots or image."),
    ({"backup": {"document": ""}}, f"backup.document is ''; {DOCUMENT}"),
    ({"backup": {"max_age": "0s"}}, "backup.max_age is '0s'; allowed is a duration such as 90s, 15m, 24h or 7d."),
    ({"backup": {"instance": "maybe"}}, "backup.instance is 'maybe'; allowed is off, warn or required."),
    ({"backup": {"database": True}}, "backup.database is true; allowed is off, warn or required."),
    (
        {"backup": "image"},
        "backup is 'image'; allowed is a mapping with kind, document, max_age, instance and database.",
    ),
    ({"hook": {}}, f"hook {UNKNOWN}"),
    ({"hooks": {"preinstall": "DrainOrders"}}, f"hooks.preinstall {UNKNOWN}"),
    ({"rate": {"concurrency": "1"}}, f"rate.concurrency {UNKNOWN}"),
    ({"health": {"alarm": "orders-5xx"}}, f"health.alarm {UNKNOWN}"),
    ({"timeouts": {"boot": "1m"}}, f"timeouts.boot {UNKNOWN}"),
    ({"backup": {"age": "1h"}}, f"backup.age {UNKNOWN}"),
]


@pytest.mark.parametrize(("written", "said"), WRONG, ids=[f"{next(iter(each))}: {said}"[:60] for each, said in WRONG])
def test_what_is_wrong_is_one_sentence_with_path_value_and_what_is_allowed(written: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        application(**written)
    (problem,) = error.value.problems
    assert problem.startswith("applications.orders-db.")
    assert problem.endswith(said)
    assert len(problem) < 300
