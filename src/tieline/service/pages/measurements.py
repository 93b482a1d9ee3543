"""What is kept with the campaign beside its table: three doors, and what is behind each."""

from typing import Any

from fastapi import APIRouter

from tieline.campaign.studies.fingerprints import errand_of
from tieline.campaign.studies.kept import kept
from tieline.campaign.studies.modalities import offers
from tieline.campaign.studies.spectra import KIND as SPECTRA
from tieline.campaign.studies.volumes import find_volumes
from tieline.service.pages.router import add_page
from tieline.service.request import Present

router = APIRouter()


def view(campaign: Present) -> dict[str, Any]:
    """What the page shows; always of now."""
    spectra = kept(campaign, SPECTRA)
    return {
        "as_of": "",
        "n_pure": sum(one.about["n_pure"] for one in spectra),
        "n_unknown": sum(one.about["n_unknown"] for one in spectra),
        "n_volumes": len(find_volumes(campaign)),
        "n_offers": len(offers(campaign.record())) if campaign.has_record else 0,
        "fingerprint": errand_of(campaign.path).state(),
    }


add_page(router, "/measurements", "measurements.html", view)
