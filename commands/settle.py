"""The buttons It ran and It did not: a person settles a step of which nobody knows whether it was sent (I2)."""

from dataclasses import dataclass
from typing import ClassVar

from commands.command import Actor, Command, Context
from commands.errors import Refused
from commands.ports import Role
from commands.replies import Done, Reply
from patching.sequence import fallen
from patching.states import RunState, StepState
from storage import audit, pauses, runs, steps


@dataclass(frozen=True, slots=True)
class Settle(Command):
    """Neither answer sends anything: trying again is a new request."""

    name: ClassVar[str] = "settle"
    summary: ClassVar[str] = "Say whether an unsettled command ran."
    role: ClassVar[Role | None] = Role.ADMIN
    in_slash: ClassVar[bool] = False

    step_id: str
    ran: bool

    def perform(self, context: Context, actor: Actor) -> Reply:
        with context.commit() as tx:
            step = next((each for each in steps.in_state(tx, StepState.UNKNOWN) if each.id == self.step_id), None)
            run = runs.get(tx, step.run_id) if step else None
            if step is None or run is None or run.state is not RunState.NEEDS_HUMAN:
                raise Refused("That doubt is settled already; nothing was changed.")
            now = context.now
            words = "it ran" if self.ran else "it did not run"
            audit.append(tx, now, actor.user_id, run.ref, "settled", {"step": step.id, "ran": self.ran})
            note = f"An admin says that {words}."
            if self.ran:
                steps.transition(tx, step, StepState.SENT, now, run.ref, note=note)
            else:
                steps.transition(tx, step, StepState.FAILED, now, run.ref, note=note)
                falling = fallen(steps.progress(tx, run.id), cancelled=note)
                for each in steps.of_run(tx, run.id):
                    if each.position in falling and each.state is StepState.PLANNED:
                        steps.transition(tx, each, StepState.FAILED, now, run.ref, note=note)
            if not steps.unsettled(tx, run.id):
                pauses.go_on(tx, run, now, actor.user_id, note)
        for sweep in ("track", "finish", "deliver"):
            context.wake(sweep)
        end = "It is followed to its end." if self.ran else "The run ends as failed; ask anew if you want it to run."
        return Done(f"Recorded for {run.ref}: {words}. {end}")
