"""Models that are kept with the campaign, beside what it learned itself."""

from typing import Annotated

from pydantic import BaseModel, Field

from tieline.campaign.kept_models import kept_model, names_of_models
from tieline.errors import TielineError
from tieline.insight.explanation import model_card
from tieline.service.answers import Units
from tieline.service.guard import READ, needs
from tieline.service.request import Viewed
from tieline.service.routes.router import api_router

router = api_router("models")


class Model(BaseModel):
    """A model that can be asked by its name, in `POST /v1/predict`."""

    model: Annotated[str, Field(description="Its name.", examples=["forest"])]
    kind: Annotated[str, Field(examples=["Learner"])]
    predicts: Annotated[list[str], Field(examples=[["hardness"]])]
    inputs: Annotated[list[str], Field(examples=[["composition", "temperature"]])]
    units: Units
    at: Annotated[str, Field(description="When it was kept, UTC.", examples=["2026-11-24T14:07:31.018915Z"])]
    by: Annotated[str, Field(description="Who kept it.", examples=["Kim"])]
    card: Annotated[str, Field(description="What it was learned from, how good it is, what it is not for.")]


class Models(BaseModel):
    """Several of them."""

    models: list[Model]
    notes: Annotated[list[str], Field(description="Those whose file is gone or damaged.")] = []


@router.get("/models")
@needs(READ)
def list_models(campaign: Viewed) -> Models:
    """List the models that are kept, with their cards."""
    found, lost = [], []
    for name in names_of_models(campaign):
        try:
            one = kept_model(campaign, name)
        except TielineError as error:
            lost.append(f"{name}: {error.what}")
            continue
        about = {
            "predicts": one.predicts,
            "inputs": one.inputs,
            "units": one.units,
            "at": one.at,
            "by": one.by,
        }
        kind, card = type(one.posterior.model).__name__, model_card(one.posterior)
        found.append(Model(model=name, kind=kind, card=card, **about))
    return Models(models=found, notes=lost)
