"""How it goes with learning: what runs, how long it takes, and what was learned last."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tieline.campaign.campaign import Campaign
from tieline.campaign.fits import Fit, latest_fit

MARKS = {"green": "✓", "amber": "!", "red": "✕"}
BADGES = {"green": "Can be trusted", "amber": "Use with care", "red": "Do not act on this"}
STAGES = {"starting": "starting", "challenging": "judging models", "fitting": "learning from the data"}


def learning_now(campaign: Campaign) -> dict[str, Any] | None:
    """The fit that is running, with what its progress bar shows; None if none is."""
    running = [fit for fit in campaign.fits() if fit.state == "running"]
    return progress_of(campaign, running[-1]) if running else None


def progress_of(campaign: Campaign, fit: Fit) -> dict[str, Any]:
    """How a fit stands.

    Returns:
        Name, state and stage; seconds since it began; how long the latest one took, if there was one.
    """
    done = latest_fit(campaign.store)
    return {
        "fit": fit.name,
        "state": fit.state,
        "stage": STAGES.get(fit.stage, fit.stage),
        "seconds": seconds_of(fit),
        "expected_seconds": None if done is None else seconds_of(done),
        "problem": fit.outcome.get("what", "") if fit.state == "failed" else "",
        "badge": badge_of(fit),
    }


def seconds_of(fit: Fit) -> float:
    """How long a fit took, or has taken so far."""
    end = datetime.fromisoformat(fit.ended) if fit.ended else datetime.now(UTC)
    return max((end - datetime.fromisoformat(fit.started)).total_seconds(), 0.0)


def badge_of(fit: Fit | None) -> dict[str, str] | None:
    """A verdict as one badge, one sentence, one action; None where nothing was learned."""
    return None if fit is None or "verdict" not in fit.outcome else badge_of_verdict(fit.outcome)


def badge_of_verdict(judged: Mapping[str, Any]) -> dict[str, str]:
    """The badge of what `diagnose` says in its `attrs`."""
    verdict = judged["verdict"]
    return {
        "verdict": verdict,
        "mark": MARKS[verdict],
        "words": BADGES[verdict],
        "sentence": judged.get("sentence", ""),
        "action": judged.get("action", ""),
    }
