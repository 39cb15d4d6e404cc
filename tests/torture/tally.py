"""What became of all stories that were told, in figures."""

from collections import Counter
from dataclasses import dataclass, field

from tests.torture.atlas import CALM, Atlas
from tests.torture.judge import as_without_crash, judge
from tests.torture.story import Story
from tests.torture.whims import Whim


@dataclass
class Tally:
    plans: Counter[str] = field(default_factory=Counter)
    whims: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    crashes: int = 0
    sent: int = 0  # commands that SSM took
    installs: int = 0  # of those
    doubted: int = 0  # stories with a send of which AWS gave no clear answer: how they end depends on what was lost
    well: int = 0  # of the others: ended as without the crash …
    other: int = 0  # … or not
    helped: dict[str, list[bool]] = field(default_factory=dict)
    """Of the well with at most one crash: where it was → whether a person had to answer, story by story."""
    wrong: list[str] = field(default_factory=list)

    def count(self, number: int, story: Story) -> None:
        """A story that was told to its end."""
        tale = story.tale
        self.plans[tale.plan if tale.approved else f"{tale.plan}, not approved"] += 1
        self.whims.update([tale.whim] if tale.whim else [])
        self.faults.update([f"{tale.fault.kind} of {tale.fault.operation}"] if tale.fault != CALM else [])
        self.crashes += len(story.died)
        self.sent += len(story.calls())
        self.installs += len(story.calls("Install"))
        self.wrong += [f"story {number}, {told(story)}: {sentence}" for sentence in judge(story)]
        if tale.fault.leaves_doubt:
            self.doubted += 1
        elif not as_without_crash(story):
            self.other += 1
        else:
            self.well += 1
            # A boundary that only a doubt leads to is reached by making one: that says nothing of how often one arises.
            if len(story.died) < 2 and tale.whim is not Whim.CANCEL:
                self.helped.setdefault(_place(story), []).append(bool(story.helped))

    @property
    def share_well(self) -> float:
        return self.well / max(1, self.well + self.other)

    @property
    def share_helped(self) -> float:
        """Each place counts once, so that a send does not count as often as there are documents to send."""
        shares = [sum(found) / len(found) for found in self.helped.values()]
        return sum(shares) / max(1, len(shares))

    def report(self, atlas: Atlas) -> list[str]:
        """Lines."""
        return [
            f"{len(atlas.ways)} boundaries, {len(atlas.ways) - len(atlas.missing)} of them hit:",
            *(f"  {atlas.hits[name]:3} {name}" for name in sorted(atlas.ways)),
            f"{self.plans.total()} stories ({_counts(self.plans)}), {self.crashes} crashes",
            f"somebody's whims: {_counts(self.whims)}; AWS's faults: {_counts(self.faults)}",
            f"{self.sent} commands sent, {self.installs} of them Installs; {len(self.wrong)} things wrong",
            f"{self.doubted} stories with a doubt of AWS's; "
            f"of the other {self.well + self.other} {self.share_well:.1%} ended as without the crash,",
            f"{self.share_helped:.0%} of those with one crash after a person's answer: the bot died as it sent",
            *(f"WRONG: {sentence}" for sentence in self.wrong),
        ]


def told(story: Story) -> str:
    """In one line, as far as it is told."""
    deaths = [f"died {point.name} ({point.turn})" for point in story.keeper.died]
    return "; ".join([str(story.tale), *deaths, *story.helped, f"{story.change and story.change.state}"])


def _place(story: Story) -> str:
    """Where the bot died; a send whatever it sent."""
    name = story.died[0].name if story.died else ""
    before, call, _ = name.partition("SendCommand")
    return before + call


def _counts(of: Counter[str]) -> str:
    return ", ".join(f"{times} {what}" for what, times in sorted(of.items())) or "none"
