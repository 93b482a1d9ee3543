"""A fingerprint of a campaign's specimens, learned by a process of its own."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from tieline.campaign.campaign import Campaign
from tieline.campaign.errands import Errand
from tieline.campaign.studies.kept import FOLDER, LEARNED, note_study, take_over
from tieline.campaign.studies.modalities import has_any, offers, table_for
from tieline.errors import Conflict, SchemaError, TielineError
from tieline.models.fingerprint.fingerprint import Fingerprint
from tieline.models.fingerprint.fingerprint_posterior import FingerprintPosterior
from tieline.models.posterior_file import load_posterior

KIND = "fingerprint"
ANSWER, UNNOTED = "posterior.nc", "unnoted.nc"
MOST_CLUSTERS = 12
N_LATENT = 4


def errand_of(folder: Path) -> Errand:
    """The work of learning a fingerprint."""
    return Errand("tieline.campaign.studies.fingerprints", folder, f"{FOLDER}/{KIND}", ANSWER)


def begin_fingerprint(campaign: Campaign, names: Sequence[str], n_clusters: int | None, *, by: str) -> None:
    """Begin to learn a fingerprint.

    Args:
        campaign: whose specimens it is of.
        names: of modalities, as `offers` names them.
        n_clusters: None to find out.
        by: who begins.

    Raises:
        Conflict: one is being learned.
        SchemaError: a modality is not there, or none was chosen.
    """
    errand = errand_of(campaign.path)
    if errand.state() == "running":
        raise Conflict("A fingerprint is being learned.", hint="wait for it")
    known = [one.name for one in offers(campaign.record())]
    if not names or not set(names) <= set(known):
        raise SchemaError(
            "What is the fingerprint to be made of?",
            found=", ".join(names) or "nothing was chosen",
            hint=f"one or more of {', '.join(known)}" if known else "add measurements first",
        )
    if n_clusters is not None and not 1 <= n_clusters <= MOST_CLUSTERS:
        raise SchemaError(
            "So many clusters cannot be told apart.", found=f"{n_clusters}", hint=f"1 to {MOST_CLUSTERS}"
        )
    about = {
        "modalities": list(names),
        "n_clusters": n_clusters,
        "data": campaign.store.fact("data"),
        "by": by,
    }
    errand.begin(about, ANSWER)


def read_fingerprint(campaign: Campaign) -> FingerprintPosterior:
    """What was learned last; as long as a newer one is being learned, or if it failed, the one before."""
    posterior = load_posterior(errand_of(campaign.path).latest().place / ANSWER)
    assert isinstance(posterior, FingerprintPosterior)  # the errand writes nothing else
    return posterior


def agreement(posterior: FingerprintPosterior) -> dict[str, tuple[float, int]]:
    """Of how many specimens each modality alone tells the cluster that all of them together tell.

    Returns:
        By modality: the share, and the number of specimens that have it and another one.
    """
    table = posterior.table
    together = posterior.responsibilities(table)["most_likely_cluster"].values
    seen = np.stack([has_any(table, view.variables) for view in posterior.views])
    told = {}
    for name, has in zip(posterior.model.names, seen, strict=True):
        rows = has & (seen.sum(0) > 1)
        alone = posterior.responsibilities(table.isel(specimen=rows), given=name) if rows.any() else None
        share = (
            np.nan if alone is None else float(np.mean(alone["most_likely_cluster"].values == together[rows]))
        )
        told[name] = (share, int(rows.sum()))
    return told


def take_clusters(campaign: Campaign, by: str) -> list[str]:
    """Make clusters a column of labels of the campaign."""
    found = read_fingerprint(campaign)
    belongs = found.responsibilities(found.table)
    labels = belongs["most_likely_cluster"].values.astype(str)
    column = xr.Dataset(
        {"cluster": ("specimen", labels, {"role": "structure"})}, {"specimen": found.table["specimen"].values}
    )
    return take_over(campaign, column, "clusters", by)


def learn(folder: Path) -> None:
    """Do the work."""
    errand = errand_of(folder)
    asked = errand.about()
    try:
        with Campaign.open(folder) as campaign:
            record = campaign.record()
            seed = campaign.settings.seed
        chosen = [one for one in offers(record) if one.name in asked["modalities"]]
        table, modalities, notes = table_for(record, chosen)
        clusters = {} if asked["n_clusters"] is None else {"n_clusters": asked["n_clusters"]}
        model = Fingerprint(modalities, n_latent=N_LATENT, **clusters)
        learned = model.fit(table, seed=seed)
        made = replace(learned, notes=(*learned.notes, *notes)).save(errand.place / UNNOTED)
        settings = {key: asked[key] for key in ("modalities", "n_clusters", "data")} | {"seed": seed}
        with Campaign.open(folder) as campaign:
            name = ", ".join(asked["modalities"])
            note_study(campaign, KIND, LEARNED, name, settings=settings, made=made, by=asked["by"])
        made.replace(errand.place / ANSWER)  # nothing is shown that the log does not hold
    except TielineError as error:
        errand.complain(error)


if __name__ == "__main__":
    learn(Path(sys.argv[1]))
