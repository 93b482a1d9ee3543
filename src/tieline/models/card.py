"""A posterior as a notebook shows it: what was learned from what, and whether to trust it."""

from tieline.models.posterior import Posterior, label_sets, names_of
from tieline.schema.card import card


def card_of(posterior: Posterior) -> str:
    """HTML that needs nothing else."""
    model, found = posterior.model, posterior.diagnose()
    learned = [*label_sets(model), *model.properties]
    facts = [
        ("learned", ", ".join(learned)),
        ("from", ", ".join(names_of(model.design))),
        ("specimens", str(posterior.table.sizes["specimen"])),
    ]
    return card(type(model).__name__, facts, judged=found.attrs, notes=found.attrs["notes"])
