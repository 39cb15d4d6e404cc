"""The order of a run's steps, and what must not follow after something went wrong: one case for each rule.

`test_sequence_walks.py` holds the rules on random plans.
"""

from collections.abc import Callable, Mapping

import pytest

from patching.plan import StepKind, numbered, scan_plan
from patching.sequence import begun, failed_in_wave
from patching.states import StepState
from tests.unit.patching.plans import DOCUMENT, installing
from tests.unit.patching.walks import CANCELLED, Walk, walk

BACKUP, GATE, INSTALL, HEALTH, VERIFY = (
    StepKind.BACKUP,
    StepKind.GATE,
    StepKind.INSTALL,
    StepKind.HEALTH,
    StepKind.VERIFY,
)


def kinds(run: Walk, positions: list[int]) -> list[str]:
    """`install 1`: kind and wave."""
    return [f"{run.step(position).kind} {run.step(position).wave}" for position in positions]


def test_a_plan_that_goes_well_is_walked_in_its_order_stage_by_stage() -> None:
    run = walk("replica*2", "primary", canary=1, wait=True, check=True, snapshots=True, dump=True)
    told = kinds(run, run.go())
    of_a_wave = ("gate", "install", "health", "health", "verify")
    assert told == ["backup 0", "backup 0", *(f"{kind} {wave}" for wave in (1, 2, 3) for kind in of_a_wave)]
    assert run.next() is None
    assert all(step.state is StepState.DONE for step in run.steps)


def test_a_stage_waits_for_every_step_of_the_one_before() -> None:
    run = walk("db*120")
    one, two, three = run.positions(INSTALL)
    assert run.send_all() == [one, two, three]
    run.end(one)
    run.end(three)
    assert run.send_all() == []
    run.end(two)
    assert run.send_all() == run.positions(VERIFY)


@pytest.mark.parametrize(
    ("concurrency", "together"),
    [("100%", [3]), ("100", [2, 1]), ("50%", [1, 1, 1]), ("70", [1, 2]), ("50", [1, 1, 1]), ("1", [1, 1, 1])],
)
def test_batches_are_under_way_together_as_far_as_the_wave_s_rate_lets_them(
    concurrency: str, together: list[int]
) -> None:
    """120 nodes are batches of 50, 50 and 20; how many go out each time."""
    run = walk("db*120", rate=(concurrency, "0"))
    sent = []
    while batch := [each for each in run.send_all() if run.step(each).kind is INSTALL]:
        sent.append(len(batch))
        for position in batch:
            run.end(position)
    assert sent == together


def test_a_batch_of_which_nobody_knows_whether_it_was_sent_counts_as_under_way() -> None:
    run = walk("db*120", rate=("70", "0"))
    one, two, three = run.positions(INSTALL)
    run.send(one)
    run.end(one)
    run.send(two, StepState.SENDING)
    assert run.send_all() == [three]
    run = walk("db*100", rate=("50", "0"))
    run.send(1, StepState.UNKNOWN)
    assert run.send_all() == []


def test_I2_no_install_begins_beside_one_in_doubt_and_what_is_under_way_goes_on() -> None:
    run = walk("db*150")
    one, two, three = run.positions(INSTALL)
    run.send(one)
    run.send(two, StepState.UNKNOWN)
    assert (run.next(), run.fallen()) == (None, {})
    run.end(one)
    assert (run.next(), run.fallen()) == (None, {})
    run.send(two)  # AWS has it after all
    assert run.send_all() == [three]


def test_I8_after_a_doubt_that_a_person_denies_all_of_the_wave_is_verified() -> None:
    run = walk("db*100", "last")
    one, two = run.positions(INSTALL, 1)
    run.send(one)
    run.send(two, StepState.UNKNOWN)
    run.end(one)
    run.fail(two)
    assert set(run.let_fall()) == {*run.positions(GATE, 2), *run.positions(INSTALL, 2), *run.positions(VERIFY, 2)}
    assert run.go() == run.positions(VERIFY, 1)


# --- What fails, what falls by it, and what is sent after all


def failed_canary() -> Walk:
    run = walk("db*3", canary=1, check=True)
    (install,) = run.positions(INSTALL, 1)
    run.send(install)
    run.end(install, ["i-db-000"])
    return run


def failed_gate() -> Walk:
    run = walk("replica", "primary", check=True)
    (gate,) = run.positions(GATE, 2)
    run.go(until=gate - 1)
    run.send(gate)
    run.end(gate, ["i-primary-000"])
    return run


def refused_gate() -> Walk:
    run = walk("replica", "primary")
    (gate,) = run.positions(GATE, 2)
    run.go(until=gate - 1)
    run.fail(gate)
    return run


def refused_batch() -> Walk:
    """The first goes out, the second is refused."""
    run = walk("db*100", "last")
    one, two = run.positions(INSTALL, 1)
    run.send(one)
    run.fail(two)
    run.end(one)
    return run


def unwell_after_waiting() -> Walk:
    """An alarm went on: a health step without a document, which has no nodes."""
    run = walk("replica", "primary", wait=True, check=True)
    (wait, _) = run.positions(HEALTH, 1)
    run.go(until=wait - 1)
    run.send(wait)
    run.fail(wait)
    return run


def unwell_by_document() -> Walk:
    run = walk("replica*2", "primary", check=True)
    (check,) = run.positions(HEALTH, 1)
    run.go(until=check - 1)
    run.send(check)
    run.end(check, ["i-replica-001"])
    return run


def document_not_sent() -> Walk:
    run = walk("replica*2", "primary", check=True, rate=("100%", "2"))
    (check,) = run.positions(HEALTH, 1)
    run.go(until=check - 1)
    run.fail(check)
    return run


def unverified() -> Walk:
    run = walk("replica", "primary")
    (verify,) = run.positions(VERIFY, 1)
    run.go(until=verify - 1)
    run.send(verify)
    run.end(verify, ["i-replica-000"])
    return run


def verification_not_sent() -> Walk:
    run = walk("replica", "primary", rate=("100%", "1"))
    (verify,) = run.positions(VERIFY, 1)
    run.go(until=verify - 1)
    run.fail(verify)
    return run


def failed_backup() -> Walk:
    run = walk("replica", "primary", dump=True, snapshots=True)
    run.send(1)
    run.end(1, ["i-primary-000"])
    return run


def cancelled_between() -> Walk:
    run = walk("replica", "primary")
    run.go(until=run.positions(VERIFY, 1)[0])
    run.cancelled = CANCELLED
    return run


def cancelled_while_installing() -> Walk:
    run = walk("db*100", rate=("50", "0"), check=True)
    (one, _) = run.positions(INSTALL, 1)
    run.send(one)
    run.cancelled = CANCELLED
    return run


WAVE_2 = ["gate 2", "install 2", "verify 2"]
CASES: Mapping[Callable[[], Walk], tuple[list[str], str, list[str]]] = {
    failed_canary: (["health 1", *WAVE_2[:2], "health 2", "verify 2"], "1 node failed in wave 1, ", ["verify 1"]),
    failed_gate: (["install 2", "health 2", "verify 2"], "Wave 2 was not let through, ", []),
    refused_gate: (["install 2", "verify 2"], "Wave 2 was not let through, ", []),
    refused_batch: (["verify 1", *WAVE_2], "An earlier batch was not sent, ", ["verify 1"]),
    unwell_after_waiting: (
        ["health 1", *WAVE_2[:2], "health 2", "health 2", "verify 2"],
        "Wave 1 was not well afterwards, ",
        ["verify 1"],
    ),
    unwell_by_document: ([*WAVE_2[:2], "health 2", "verify 2"], "1 node failed in wave 1, ", ["verify 1"]),
    document_not_sent: ([*WAVE_2[:2], "health 2", "verify 2"], "Wave 1 was not well afterwards, ", ["verify 1"]),
    unverified: (WAVE_2, "1 node failed in wave 1, ", []),
    verification_not_sent: (WAVE_2, "Wave 1 could not be verified, ", []),
    failed_backup: (
        ["backup 0", "gate 1", "install 1", "verify 1", *WAVE_2],
        "A backup failed, so nothing was installed.",
        [],
    ),
    cancelled_between: (WAVE_2, CANCELLED, []),
    cancelled_while_installing: (["install 1", "health 1", "health 1", "verify 1"], CANCELLED, ["verify 1"]),
}


@pytest.mark.parametrize("story", CASES, ids=lambda story: story.__name__)
def test_after_something_went_wrong(story: Callable[[], Walk]) -> None:
    """What falls, why, and what is still sent: verifications of what was installed, and nothing else."""
    falls, why, sent = CASES[story]
    run = story()
    reasons = run.let_fall()
    assert kinds(run, sorted(reasons)) == falls
    for sentence in reasons.values():
        assert sentence.startswith(why)
        assert sentence.endswith(".")
    for step in run.steps:
        if step.sent and not step.state.ended:
            run.end(step.position)
    assert kinds(run, run.go()) == sent
    assert all(step.state.ended for step in run.steps)


def test_only_batches_that_were_sent_are_verified_where_a_later_one_was_refused() -> None:
    run = refused_batch()
    first, second = run.positions(VERIFY, 1)
    assert second in run.let_fall()
    assert run.go() == [first]


# --- How many nodes of a wave may fail


def test_failures_count_over_the_batches_and_the_stages_of_a_wave_and_each_node_once() -> None:
    run = walk("db*150", "last", rate=("50", "2"), check=True)
    one, two, three = run.positions(INSTALL, 1)
    run.send(one)
    run.end(one, ["i-db-000"])
    assert run.send_all() == [two]
    run.end(two, ["i-db-060"])
    assert run.send_all() == [three]
    run.end(three)
    assert failed_in_wave(run.steps, 1) == {"i-db-000", "i-db-060"}
    first, *others = run.send_all()
    assert kinds(run, [first]) == ["health 1"]
    run.end(first, ["i-db-000"])
    assert run.fallen() == {}
    run.end(others[0], ["i-db-061"])
    assert set(run.fallen().values()) == {"3 nodes failed in wave 1, so nothing further was begun."}


def test_a_wave_s_failures_are_not_counted_against_the_next_wave() -> None:
    run = walk("replica*2", "primary*2", rate=("100%", "1"))
    (install,) = run.positions(INSTALL, 1)
    run.send(install)
    run.end(install, ["i-replica-000"])
    run.go(until=run.positions(GATE, 2)[0])
    (install,) = run.positions(INSTALL, 2)
    run.send(install)
    run.end(install, ["i-primary-001"])
    assert run.fallen() == {}


def test_a_batch_that_uses_up_the_limit_stops_the_batches_after_it() -> None:
    run = walk("db*100", rate=("50", "0"))
    one, two = run.positions(INSTALL)
    run.send(one)
    run.end(one, ["i-db-000"])
    assert run.fallen() == {
        two: "1 node failed in wave 1, so nothing further was begun.",
        run.positions(VERIFY)[1]: "1 node failed in wave 1, so nothing further was begun.",
    }


# --- Pausing


def test_while_paused_the_wave_that_began_ends_and_none_begins() -> None:
    run = walk("replica", "primary", check=True)
    run.go(until=1)
    run.paused = True
    assert kinds(run, run.go()) == ["health 1", "verify 1"]
    assert run.next() is None
    assert not begun(run.steps, 2)
    run.paused = False
    assert kinds(run, run.go()) == ["gate 2", "install 2", "health 2", "verify 2"]


def test_a_pause_before_anything_keeps_everything_and_one_after_the_gate_comes_too_late_for_its_wave() -> None:
    run = walk("replica", "primary", dump=True)
    run.paused = True
    assert run.next() is None
    run.paused = False
    run.go(until=run.positions(GATE, 2)[0])
    run.paused = True
    assert kinds(run, run.go()) == ["install 2", "verify 2"]


# --- Outside production


def test_an_install_that_comes_after_its_own_scan_needs_it_sent_but_not_from_every_node() -> None:
    nodes = ["i-1", "i-2"]
    for failed, falls in (("i-1", set()), ("", {2, 3})):
        run = Walk(numbered((*scan_plan(DOCUMENT, nodes), *installing(nodes, pinned=False, gated=False))))
        if failed:
            run.send(1)
            run.end(1, [failed])
        else:
            run.fail(1)
        assert set(run.fallen()) == falls
