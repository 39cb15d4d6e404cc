"""The gate's questions about the moment: freezes, windows, whether people were told, whether somebody objects."""

from datetime import timedelta
from typing import Final

from patching.durations import words
from patching.gate_facts import Action, CheckResult, GateInput, Heading
from patching.phrases import counted, listed

NO_FREEZE = Heading("no-freeze", "No freeze")
INSIDE_WINDOW = Heading("inside-window", "In a maintenance window where one is asked for")
FITS_WINDOW = Heading("fits-window", "It ends before the window's cutoff")
AFFECTED_TOLD = Heading("affected-told", "Those affected told in time")
NO_OBJECTION = Heading("no-objection", "Nobody objects")

_NOT_LOOKED: Final = ("Nobody looked.", "Ask again.", Action.ASK_AGAIN)


def no_freeze(gate: GateInput) -> CheckResult:
    """No freeze is in force at the planned start."""
    moment = gate.moment
    if moment is None:
        return NO_FREEZE.failed(*_NOT_LOOKED)
    if moment.freezes:
        return NO_FREEZE.failed(
            " ".join(moment.freezes), "Wait until it is over, or let an admin lift it: `/patch freeze list`."
        )
    return NO_FREEZE.passed("No freeze is in force then." if not moment.sending else "No freeze is in force.")


def inside_window(gate: GateInput) -> CheckResult:
    """It goes inside a maintenance window of the environment, before its cutoff, where somebody asks for one."""
    moment = gate.moment
    if moment is None:
        return INSIDE_WINDOW.failed(*_NOT_LOOKED)
    if not moment.at_window:
        none = "An emergency waits for no window." if moment.emergency else "No window is asked for."
        return INSIDE_WINDOW.passed(none)
    if moment.windows_unknown:
        return INSIDE_WINDOW.failed(
            moment.windows_unknown, "Ask again when AWS answers: `/patch windows` shows what is known."
        )
    opening, name = moment.opening, gate.target.name
    if opening is None:
        return INSIDE_WINDOW.failed(
            f"No maintenance window of {name} is planned.", "Create one with `/patch window create`, then ask again."
        )
    if not moment.sending:
        return INSIDE_WINDOW.passed(f"Sent at the window {opening.name} of {name},", at=max(opening.opens, gate.now))
    if opening.is_open(gate.now):
        return INSIDE_WINDOW.passed(f"The window {opening.name} is open; nothing begins after", at=opening.closes)
    return INSIDE_WINDOW.failed(
        f"The window {opening.name} of {name} is not open to new work now.",
        "Ask again: it then goes at the next window.",
        Action.ASK_AGAIN,
    )


def fits_window(gate: GateInput) -> CheckResult:
    """What it takes, by earlier runs, is over before the window's cutoff."""
    moment = gate.moment
    if moment is None:
        return FITS_WINDOW.failed(*_NOT_LOOKED)
    opening = moment.opening
    if not moment.at_window or opening is None:
        return FITS_WINDOW.passed("No window to fit into.")
    left = opening.closes - max(opening.opens, gate.now)
    if moment.estimate is None:
        return FITS_WINDOW.warned(
            f"No earlier run tells how long it takes; {words(left)} are there before the cutoff.",
            "Look whether that is long enough.",
        )
    told = f"about {words(moment.estimate)} ({moment.estimated_from}), with {words(left)} before the cutoff"
    if moment.estimate <= left:
        return FITS_WINDOW.passed(f"It takes {told}.")
    return FITS_WINDOW.failed(
        f"It would take {told}.", "Make the window longer, its cutoff shorter, or let more nodes go at once."
    )


def affected_told(gate: GateInput) -> CheckResult:
    """Those affected know of it as long before as the configuration asks."""
    moment = gate.moment
    if moment is None:
        return AFFECTED_TOLD.failed(*_NOT_LOOKED)
    needed = moment.notify_before
    if moment.emergency:
        return AFFECTED_TOLD.passed("An emergency waits for nobody; they are told when it starts and ends.")
    if needed <= timedelta(0):
        return AFFECTED_TOLD.passed("`notify_before` asks for no time; they are told when it starts and ends.")
    if not moment.sending:
        return AFFECTED_TOLD.passed(f"They are told when it is approved, and it goes {words(needed)} later at least.")
    if moment.told_at is None:
        return AFFECTED_TOLD.failed("Nobody has told them.", "Ask again: they are told first.", Action.ASK_AGAIN)
    ago = gate.now - moment.told_at
    if ago >= needed:
        return AFFECTED_TOLD.passed(f"They were told {words(ago)} ago.")
    return AFFECTED_TOLD.failed(
        f"They were told {words(ago)} ago; `notify_before` asks for {words(needed)}.", "Wait, then ask again."
    )


def no_objection(gate: GateInput) -> CheckResult:
    """Nobody who is affected objects, or an admin has overruled it."""
    moment = gate.moment
    if moment is None:
        return NO_OBJECTION.failed(*_NOT_LOOKED)
    if not moment.objections:
        return NO_OBJECTION.passed("Nobody objects.")
    return NO_OBJECTION.failed(
        f"{counted(len(moment.objections), 'objection')}: {listed(moment.objections)}.",
        "Who objected takes it back, or an admin overrules it.",
    )
