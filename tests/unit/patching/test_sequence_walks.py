"""Random plans walked to their end with random outcomes: what may never happen, whatever goes wrong."""

from datetime import timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from patching.execution import Backup, BackupKind, Execution, Health, Rate
from patching.model import Node
from patching.plan import StepKind
from patching.sequence import Progress
from patching.states import StepState
from tests.unit.patching.plans import node
from tests.unit.patching.walks import CANCELLED, CHECK, DUMP, Walk, planned

MOST_MOVES = 2_000

WAVES = st.sampled_from(
    [(), ({"tag:Role": ("replica",)},), ({"tag:Role": ("replica",)}, {"tag:Role": ("primary",)})],
)
EXECUTIONS = st.builds(
    Execution,
    waves=WAVES,
    canary=st.sampled_from([0, 0, 1, 3]),
    ha_group=st.sampled_from([None, None, "tag:Cluster"]),
    rate=st.builds(
        Rate,
        max_concurrency=st.sampled_from(["1", "7", "60", "50%", "100", "100%", "100%"]),
        max_errors=st.sampled_from(["0", "0", "1", "3", "60", "2%", "50%"]),
    ),
    health=st.builds(
        Health, document=st.sampled_from([None, CHECK.name]), wait=st.sampled_from([timedelta(0), timedelta(minutes=5)])
    ),
    backup=st.builds(
        Backup,
        kind=st.sampled_from([BackupKind.NONE, BackupKind.NONE, BackupKind.IMAGE]),
        document=st.sampled_from([None, None, DUMP.name]),
    ),
)


@st.composite
def fleets(draw: st.DrawFn) -> list[Node]:
    """Up to three batches in a wave; clusters of two or three nodes, which are waves of their own."""
    count = draw(st.sampled_from([1, 3, 8, 130, 130, 130]))
    clusters = draw(st.sampled_from([0, 0, 2, 3]))
    roles = draw(st.sampled_from([["db"], ["db"], ["replica", "primary", "other"]]))
    return [
        node(
            f"i-{number:03}",
            Role=roles[number % len(roles)],
            **({"Cluster": f"c{number // clusters}"} if clusters and number % 4 else {}),
        )
        for number in range(count)
    ]


class Watched(Walk):
    """Holds every move against the rules."""

    def __init__(self, nodes: list[Node], execution: Execution, *, gated: bool) -> None:
        super().__init__(planned(execution, nodes, gated=gated))
        tag = (execution.ha_group or "").removeprefix("tag:")
        self.group = {each.id: each.tags[tag] for each in nodes if tag in each.tags}
        self.installed: set[str] = set()
        self.verified: set[str] = set()  # or its verification was refused by AWS

    def refuse(self, position: int) -> None:
        """It is given up before anything of it was sent."""
        if self.step(position).kind is StepKind.VERIFY:
            self.verified |= self.step(position).node_ids
        self.fail(position)

    def begin(self, position: int, state: StepState = StepState.SENT) -> None:
        step = self.step(position)
        assert step.state is StepState.PLANNED
        earlier = [each for each in self.steps if each.wave < step.wave]
        assert all(each.state.ended for each in earlier), "a wave begins before the one before it is verified"
        if step.kind is StepKind.INSTALL:
            self._may_install(step)
            self.installed |= step.node_ids
        if step.kind is StepKind.VERIFY:
            self.verified |= step.node_ids
        self.send(position, state)
        self._within_the_rate()

    def _may_install(self, step: Progress) -> None:
        assert not step.node_ids & self.installed, "a node is installed twice"
        assert not self.cancelled
        assert not any(each.state is StepState.UNKNOWN for each in self.steps), "beside a doubt"
        for wave in {each.wave for each in self.steps if each.wave <= step.wave}:
            members = [each for each in self.steps if each.wave == wave]
            failed = {node_id for each in members if each.kind is StepKind.INSTALL for node_id in each.failed}
            allowed = max((each.errors for each in members), default=0)
            assert len(failed) <= allowed, "the error limit is used up"
        assert not any(
            each.state is StepState.FAILED for each in self.steps if each.kind in {StepKind.GATE, StepKind.BACKUP}
        ), "after a gate that did not let through, or without a backup"

    def _within_the_rate(self) -> None:
        under_way = [
            each for each in self.steps if each.kind is StepKind.INSTALL and each.sent and not each.state.ended
        ]
        assert len({each.wave for each in under_way}) <= 1
        assert sum(each.concurrency for each in under_way) <= max((each.at_once for each in under_way), default=0)
        groups = [self.group[node_id] for each in under_way for node_id in each.node_ids if node_id in self.group]
        assert len(groups) == len(set(groups)), "two nodes of one group together"


@settings(deadline=None, max_examples=300)
@given(fleets(), EXECUTIONS, st.booleans(), st.integers(0, 2**32), st.sampled_from([0.0, 0.1, 0.3]))
def test_I2_I8_I9_whatever_goes_wrong_a_walk_keeps_its_rules_and_ends(
    nodes: list[Node], execution: Execution, gated: bool, seed: int, trouble: float
) -> None:
    dice = Random(seed)
    run = Watched(nodes, execution, gated=gated)
    for _ in range(MOST_MOVES):
        assert not any(run.step(position).sent for position in run.let_fall())
        under_way = [step for step in run.steps if step.sent and not step.state.ended]
        turn = run.next()
        if turn is None and not under_way:
            if not run.paused:
                break
            run.paused = False
            continue
        if turn is not None and (not under_way or dice.random() < 0.7):
            _go_on(run, turn, dice, trouble)
        else:
            _end(run, dice.choice(under_way), dice, trouble)
        run.paused = dice.random() < trouble
        if dice.random() < trouble / 10:
            run.cancelled = CANCELLED
    assert all(step.state.ended for step in run.steps), "it never ends"
    assert run.installed <= run.verified, "what was installed is not verified"
    if not trouble:
        assert run.installed == {each.id for each in nodes}
        assert {step.state for step in run.steps} == {StepState.DONE}


def _go_on(run: Watched, position: int, dice: Random, trouble: float) -> None:
    luck = dice.random()
    if luck < trouble / 10:
        run.refuse(position)
    elif luck < trouble and run.step(position).document:
        run.begin(position, dice.choice([StepState.UNKNOWN, StepState.UNKNOWN, StepState.SENDING]))
    else:
        run.begin(position)


def _end(run: Watched, step: Progress, dice: Random, trouble: float) -> None:
    if step.state is not StepState.SENT:  # it is found at AWS, or a person says what is true
        if dice.random() < 0.5:
            run.fail(step.position)
        else:
            run.send(step.position)
    elif not step.node_ids:
        run.fail(step.position) if dice.random() < trouble else run.end(step.position)
    else:
        run.end(step.position, [node_id for node_id in sorted(step.node_ids) if dice.random() < trouble / 10])
