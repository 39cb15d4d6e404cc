"""I3: an approval is bound to meaning, and what moved is named exactly."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patching.digest import Parts, digest_of, digest_parts, moved
from patching.model import PinnedPatch
from patching.plan import PlanStep
from tests.unit.patching.plans import DOCUMENT, installing

NODES = ("i-1", "i-2")
OPENSSL = PinnedPatch("openssl.amd64", "openssl.amd64:3.0.16")


def parts(**changes: Any) -> Parts:
    given: dict[str, Any] = {
        "account": "222222222222",
        "region": "eu-west-1",
        "role": "arn:aws:iam::222222222222:role/patchgate",
        "node_ids": NODES,
        "pins": (OPENSSL, PinnedPatch("curl.amd64", "curl.amd64:7.88.1-10")),
        "baselines": {"Debian 12": "a" * 64},
        "plan": installing(NODES),
        "reboot_option": "RebootIfNeeded",
        "policy": {"soak": "7d"},
    }
    return digest_parts(**(given | changes))


def plan_with(**changes: Any) -> list[PlanStep]:
    first, *rest = installing(NODES)
    return [replace(first, **changes), *rest]


# Every part of I3, and the sentence that a person reads.
MOVES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "account": ({"account": "333333333333"}, ("account 222222222222 → 333333333333",)),
    "Region": ({"region": "us-east-1"}, ("region eu-west-1 → us-east-1",)),
    "role": (
        {"role": "base credentials"},
        ("role arn:aws:iam::222222222222:role/patchgate → base credentials",),
    ),
    "a newer version": (
        {
            "pins": (
                PinnedPatch("openssl.amd64", "openssl.amd64:3.0.17"),
                PinnedPatch("curl.amd64", "curl.amd64:7.88.1-10"),
            )
        },
        ("openssl.amd64 3.0.16 → 3.0.17",),
    ),
    "a patch less": ({"pins": (OPENSSL,)}, ("curl.amd64 7.88.1-10 left the list",)),
    "a patch more": (
        {
            "pins": (
                OPENSSL,
                PinnedPatch("curl.amd64", "curl.amd64:7.88.1-10"),
                PinnedPatch("apt.amd64", "apt.amd64:2.6"),
            )
        },
        ("apt.amd64 2.6 joined the list",),
    ),
    "a node joined": (
        {
            "node_ids": (*NODES, "i-3"),
            "plan": installing((*NODES, "i-3")),
        },
        ("node i-3 joined",),
    ),
    "a node left": ({"node_ids": ("i-1",)}, ("node i-2 left",)),
    "baseline content": ({"baselines": {"Debian 12": "b" * 64}}, ("baseline content of Debian 12 changed",)),
    "a platform more": (
        {"baselines": {"Debian 12": "a" * 64, "Ubuntu 20": "a" * 64}},
        ("baseline of Ubuntu 20 joined",),
    ),
    "a platform less": ({"baselines": {}}, ("baseline of Debian 12 left",)),
    "document version": (
        {"plan": plan_with(document=replace(DOCUMENT, version="2"))},
        ("step 1 of the plan: document version 1 → 2",),
    ),
    "document hash": (
        {"plan": plan_with(document=replace(DOCUMENT, hash="e" * 64))},
        ("step 1 of the plan: the document's content changed",),
    ),
    "concurrency": ({"plan": plan_with(max_concurrency="100%")}, ("step 1 of the plan: max concurrency 1 → 100%",)),
    "errors": ({"plan": plan_with(max_errors="1")}, ("step 1 of the plan: max errors 0 → 1",)),
    "delivery": ({"plan": plan_with(delivery_timeout=60)}, ("step 1 of the plan: delivery timeout 7800 → 60",)),
    "pinned": ({"plan": plan_with(pinned=False)}, ("step 1 of the plan: pinned true → false",)),
    "a parameter": (
        {"plan": plan_with(parameters={"Operation": ("Install",)})},
        (
            'step 1 of the plan: parameters {"Operation":["Install"],"RebootOption":["RebootIfNeeded"]}'
            ' → {"Operation":["Install"]}',
        ),
    ),
    "nodes of a step": ({"plan": plan_with(node_ids=("i-1",))}, ("step 1 of the plan: node i-2 left",)),
    "steps": ({"plan": plan_with()[:1]}, ("the plan has 1 steps, not 2",)),
    "reboot option": ({"reboot_option": "NoReboot"}, ("reboot option RebootIfNeeded → NoReboot",)),
    "policy": ({"policy": {"soak": "8d"}}, ("policy soak 7d → 8d",)),
    "the ready part only": ({"part": True}, ("the whole list → the ready part",)),
    "a pin that is off": ({"policy": {"soak": "7d", "pin": "off"}}, ("policy pin (none) → off",)),
    "a waiver": ({"waivers": ("soak by Ada",)}, ("waiver soak by Ada was given",)),
}


@pytest.mark.parametrize(("changes", "sentences"), MOVES.values(), ids=MOVES)
def test_i3_everything_that_matters_moves_the_digest(changes: dict[str, Any], sentences: tuple[str, ...]) -> None:
    assert digest_of(parts(**changes)) != digest_of(parts())
    assert moved(parts(), parts(**changes)) == sentences


def test_what_left_the_list_because_it_is_no_longer_offered_is_told_so() -> None:
    gone = f"{OPENSSL.id} is gone from the repository"
    sentences = moved(parts(), parts(pins=()), {OPENSSL.id: gone, "bash.amd64": "never said"})
    assert sentences == ("curl.amd64 7.88.1-10 left the list", gone)


def test_i3_the_digest_is_over_canonical_json() -> None:
    expected = hashlib.sha256(b'{"account":"1","nodes":["i-1"]}').hexdigest()
    assert digest_of({"nodes": ["i-1"], "account": "1"}) == expected


@settings(deadline=None)
@given(data=st.data())
def test_i3_order_and_repetition_change_nothing(data: st.DataObject) -> None:
    pins = [PinnedPatch(f"p{number}.amd64", f"p{number}.amd64:{number}") for number in range(4)]
    nodes = [f"i-{number}" for number in range(4)]
    waivers = ["a", "b", "c"]

    def mixed(values: list[Any]) -> list[Any]:
        return data.draw(st.permutations(values + values[:1]))

    one = parts(pins=pins, node_ids=nodes, waivers=waivers)
    other = parts(pins=mixed(pins), node_ids=mixed(nodes), waivers=mixed(waivers))
    assert digest_of(one) == digest_of(other)
    assert moved(one, other) == ()


SPELLINGS = {
    "an epoch of 0": (PinnedPatch("bash.x86_64", "bash.x86_64:0:4.4"), PinnedPatch("bash.x86_64", "bash.x86_64:4.4")),
    "the console's form": (
        PinnedPatch("bash.x86_64", "bash.x86_64:0:4.4-1"),
        PinnedPatch("bash.x86_64", "bash-0:4.4-1.x86_64"),
    ),
    "a KB in lower case": (PinnedPatch("KB890830", "Tool (KB890830)"), PinnedPatch("kb890830", "Tool (KB890830)")),
}


@pytest.mark.parametrize(("one", "other"), SPELLINGS.values(), ids=SPELLINGS)
def test_i3_spelling_changes_nothing(one: PinnedPatch, other: PinnedPatch) -> None:
    assert digest_of(parts(pins=[one])) == digest_of(parts(pins=[other]))


def test_i3_an_approval_of_an_earlier_version_named_no_part() -> None:
    earlier = {key: value for key, value in parts().items() if key != "part"}
    assert moved(earlier, parts()) == ("a list → the whole list",)


PINS = st.sets(
    st.builds(
        lambda name, version: PinnedPatch(name, f"{name}:{version}"), st.sampled_from("ab"), st.sampled_from("12")
    )
)
PARTS: Callable[..., Parts] = parts
ANY_PARTS = st.builds(
    PARTS,
    account=st.sampled_from(("1", "2")),
    pins=PINS,
    node_ids=st.sets(st.sampled_from(("i-1", "i-2", "i-3"))),
    baselines=st.dictionaries(st.sampled_from(("Debian 12", "Ubuntu 20")), st.sampled_from("xy")),
    waivers=st.sets(st.sampled_from("vw")),
    part=st.booleans(),
    policy=st.dictionaries(st.sampled_from(("soak", "scan_max_age")), st.sampled_from((None, True, 1, "7d"))),
    plan=st.sampled_from(("0", "1")).map(lambda errors: plan_with(max_errors=errors)),
)


@settings(deadline=None)
@given(one=ANY_PARTS, other=ANY_PARTS)
def test_i3_something_is_named_exactly_when_the_digest_differs(one: Parts, other: Parts) -> None:
    assert (moved(one, other) == ()) is (digest_of(one) == digest_of(other))
