"""A verdict in one sentence: what is so, and the one thing to do about it."""

from patching.model import Evidence, Platform
from patching.phrases import listed
from patching.proof import Judgement
from patching.rules import Verdict


def detail_of(platform: Platform, title: str, version: str | None, judgement: Judgement) -> str:
    names, things = listed(judgement.node_names), listed(judgement.their_versions)
    match judgement.verdict:
        case Verdict.TESTED:
            return f"On {names} in exactly this version; nothing to do."
        case Verdict.UNTESTED if names:
            return f"Still missing on {names}; install it in non-production and let it soak."
        case Verdict.UNTESTED:
            return "On no non-production node; install it in non-production and let it soak."
        case Verdict.OTHER_VERSION:
            return f"Non-production has {things} on {names}; install the newest there and let it soak."
        case Verdict.OTHER_TITLE:
            return (
                f"Non-production has the same KB as “{things}” on {names}; this one carries other content: "
                "install it there and let it soak."
            )
        case Verdict.AHEAD:
            return (
                f"Non-production has the newer {things} on {names}; bring this environment's repository level "
                "with it and scan again."
            )
        case Verdict.SUPERSEDED if things:
            return (
                f"Superseded by {things}, which is on {names}; approve that one for this environment too "
                "and scan again."
            )
        case Verdict.SUPERSEDED:
            return (
                f"Not applicable on {names}, as a KB is that a newer one supersedes; approve what is installed "
                "there for this environment too and scan again."
            )
        case Verdict.NEW_DEPENDENCY:
            return (
                f"A new package, its version in its name; non-production has {things} on {names}. "
                "Install the newest there and let it soak."
            )
        case Verdict.FAILED:
            return f"It failed to install on {names}; repair that and install in non-production again."
        case Verdict.PENDING_REBOOT:
            return f"Waits for a reboot on {names}; reboot there and scan non-production again."
        case Verdict.REJECTED if names:
            return f"On {names} although the baseline there rejects it; take it off the rejected list, or off the node."
        case Verdict.REJECTED:
            return f"A baseline rejects it (“{things}”); take it off the rejected list if it is meant to be installed."
        case Verdict.OTHER_BASELINE:
            return f"The baselines for {platform} differ; give both environments the same rules and scan again."
        case Verdict.NO_COUNTERPART:
            return f"Non-production has no node of {platform}; add one, install there and let it soak."
        case Verdict.STALE:
            return f"The scan of {names} is too old; scan again."
        case Verdict.FOREIGN:
            return f"Somebody else's operation followed our scan of {names}; scan again."
        case Verdict.UNREADABLE if version is None:
            return f"Its title {title!r} holds no version that can be read; check this patch by hand."
        case Verdict.UNREADABLE:
            return f"What {names} reports about it can't be read; scan non-production again."


def detail_of_node(verdict: Verdict, evidence: Evidence) -> str:
    """For a target node of which nothing can be believed."""
    if verdict is Verdict.STALE:
        return f"The scan of {evidence.node_name} is too old; scan it again."
    if verdict is Verdict.FOREIGN:
        return f"Somebody else's operation followed our scan of {evidence.node_name}; scan it again."
    return f"The scan of {evidence.node_name} gave no usable result; scan it again."
