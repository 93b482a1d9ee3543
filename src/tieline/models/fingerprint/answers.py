"""Where specimens lie in the latent space and to which cluster they belong, from any modalities."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from scipy.special import logsumexp, softmax

from tieline.errors import SchemaError, did_you_mean
from tieline.models.arrays import Array, Mask
from tieline.models.fingerprint.corrections import corrections_of, without_corrections
from tieline.models.fingerprint.laws import FittedLaw
from tieline.models.fingerprint.population import Curves
from tieline.schema import in_units_of, require_table

if TYPE_CHECKING:
    from tieline.models.fingerprint.fingerprint_posterior import FingerprintPosterior

RULES = ("product", "naive_bayes")
SHARPNESSES = np.exp(np.linspace(-3, 1.5, 46))
DOUBT = 0.5  # standard deviation of the logarithm of a sharpness before held-out specimens are seen


@dataclass(frozen=True, eq=False)
class Asked:
    """Specimens as a posterior reads them.

    Attributes:
        inputs: standardised values (specimen, entry) of each modality, 0 where not measured.
        raws: values as they stand, NaN where not measured.
        is_measured: (specimen, modality).
        is_used: (specimen, modality).
        messages: means and precisions of what each modality says (modality, specimen, latent).
        mean: of the latent Gaussian of what is used (specimen, latent); of all clusters where nothing is.
        variance: the same.
    """

    inputs: tuple[Array, ...]
    raws: tuple[Array, ...]
    is_measured: Mask
    is_used: Mask
    messages: tuple[Array, Array]
    mean: Array
    variance: Array

    def __len__(self) -> int:
        return len(self.mean)


def ask(posterior: "FingerprintPosterior", table: xr.Dataset, used: Mask) -> Asked:
    """Read the modalities that a table has, and put those that are used together."""
    from tieline.models.fingerprint.messages import messages

    require_table(table)
    inputs, raws = [], []
    for view in posterior.views:
        there = all(v in table.data_vars for v in view.variables)
        raw = view.raw(_in_units(posterior, table, view.variables)) if there else None
        if raw is None:
            raw = np.full((table.sizes["specimen"], len(view.centre)), np.nan)
        raws.append(raw)
        inputs.append(view.inward(raw))
    is_measured = np.stack([~np.isnan(raw).all(1) for raw in raws], axis=1)
    said = messages(posterior.networks, [x.astype(np.float32) for x in inputs])
    is_used = is_measured & used
    mean, variance = fused(said, is_used)
    is_unknown = ~is_used.any(1)
    population = posterior.population
    mean[is_unknown], variance[is_unknown] = population.together(population.centre, population.variance)
    return Asked(tuple(inputs), tuple(raws), is_measured, is_used, said, mean, variance)


def _in_units(posterior: "FingerprintPosterior", table: xr.Dataset, variables: tuple[str, ...]) -> xr.Dataset:
    return xr.Dataset({v: in_units_of(posterior.table[v], table[v]) for v in variables})


def fused(messages: tuple[Array, Array], is_used: Mask, trust: Array | None = None) -> tuple[Array, Array]:
    """Latent Gaussians (specimen, latent) of the messages that are used (specimen, modality).

    Args:
        messages: means and precisions (modality, specimen, latent).
        is_used: (specimen, modality).
        trust: what precisions are multiplied by (modality); 1 if not given.
    """
    from tieline.models.fingerprint.messages import product

    mean, precision = messages
    if trust is not None:
        precision = precision * trust.astype(np.float32)[:, None, None]
    mean, variance = product(mean, precision, is_used)
    return mean.astype(float), variance.astype(float)


def laws_by_name(posterior: "FingerprintPosterior") -> dict[str, FittedLaw]:
    """The laws with their parameters, by the names of their modalities."""
    names = [name for name, modality in posterior.model.settings if modality.law is not None]
    return dict(zip(names, posterior.population.laws, strict=True))


def log_laws(posterior: "FingerprintPosterior", asked: Asked, is_used: Mask) -> Array:
    """Log likelihood of curves under each cluster's laws (specimen, cluster), where they are used."""
    laws, curves = laws_by_name(posterior), []
    for m, (name, modality) in enumerate(posterior.model.settings):
        if name in laws:
            view, raw = posterior.views[m], asked.raws[m]
            told = np.where(is_used[:, [m]], raw, np.nan)
            curves.append(Curves.of(name, laws[name].law, view.grid, told, trust=modality.weight))
    if not curves:
        return np.zeros((len(asked), posterior.population.n_clusters))
    corrections = corrections_of(posterior.model, posterior.views)
    if corrections:
        z, _ = fused(asked.messages, is_used)
        curves = without_corrections(curves, corrections, posterior.networks, z)
    return posterior.population.log_laws(curves)


def embed(posterior: "FingerprintPosterior", table: xr.Dataset, used: Mask) -> xr.Dataset:
    """Fingerprints. See `FingerprintPosterior.embed`."""
    asked = ask(posterior, table, used)
    dims = ("specimen", "latent")
    return xr.Dataset(
        {
            "fingerprint": (dims, asked.mean, {"units": "1"}),
            "fingerprint_sd": (dims, np.sqrt(asked.variance), {"units": "1"}),
        },
        coords={"specimen": table["specimen"], "latent": np.arange(asked.mean.shape[1])},
    )


def responsibilities(
    posterior: "FingerprintPosterior", table: xr.Dataset, used: Mask, rule: str
) -> xr.Dataset:
    """Probabilities of clusters. See `FingerprintPosterior.responsibilities`."""
    if rule not in RULES:
        raise SchemaError(
            f"There is no rule '{rule}'. {did_you_mean(rule, RULES)}".strip(), hint=" or ".join(RULES)
        )
    if rule == "product":
        probability = cluster_probability(posterior, ask(posterior, table, used))
    else:
        probability = _naive_bayes(posterior, table, used)
    return describe(posterior, table, probability)


def describe(posterior: "FingerprintPosterior", table: xr.Dataset, probability: Array) -> xr.Dataset:
    """Probabilities with what is most likely and how unsure it is."""
    entropy = -np.sum(probability * np.log(np.maximum(probability, 1e-300)), axis=1)
    names = np.array(posterior.clusters)
    return xr.Dataset(
        {
            "cluster_probability": (
                ("specimen", "cluster"),
                probability,
                {"units": "1", "role": "structure"},
            ),
            "most_likely_cluster": ("specimen", names[probability.argmax(1)], {"role": "structure"}),
            "cluster_entropy": ("specimen", entropy, {"units": "nat"}),
        },
        coords={"specimen": table["specimen"], "cluster": names},
    )


def cluster_probability(posterior: "FingerprintPosterior", asked: Asked) -> Array:
    """Probability of each cluster (specimen, cluster), as sharp as held-out specimens say it should be.

    Networks speak by their messages, curves with a law by their likelihood alone: both at once would count
    what a curve says twice.
    """
    probability = np.zeros((len(asked), posterior.population.n_clusters))
    for used, rows in patterns(asked.is_used):
        sharpness = posterior.sharpness(tuple(used))
        part = take(asked, rows)
        probability[rows] = softmax(_log_probability(posterior, part, used, sharpness), axis=1)
    return probability


def patterns(is_used: Mask) -> list[tuple[Mask, np.ndarray]]:
    """Each subset of modalities that occurs, with the specimens that have it."""
    subsets, which = np.unique(is_used, axis=0, return_inverse=True)
    return [(subset, np.flatnonzero(which.ravel() == i)) for i, subset in enumerate(subsets)]


def held_out(posterior: "FingerprintPosterior", used: Mask) -> Asked:
    """Held-out specimens that have a subset of modalities, asked with it."""
    table = posterior.table.isel(specimen=np.flatnonzero(posterior.is_held_out))
    asked = ask(posterior, table, used)
    return take(asked, np.flatnonzero((asked.is_used == used).all(1)))


def take(asked: Asked, rows: np.ndarray) -> Asked:
    """Take some specimens."""
    return Asked(
        tuple(x[rows] for x in asked.inputs),
        tuple(x[rows] for x in asked.raws),
        asked.is_measured[rows],
        asked.is_used[rows],
        (asked.messages[0][:, rows], asked.messages[1][:, rows]),
        asked.mean[rows],
        asked.variance[rows],
    )


def _log_probability(posterior: "FingerprintPosterior", asked: Asked, used: Mask, sharpness: float) -> Array:
    population = posterior.population
    by_network = _without_law(posterior) & used
    a = np.log(population.weight) + log_laws(posterior, asked, asked.is_used)
    if by_network.any():
        said = fused(asked.messages, asked.is_used & by_network)
        a = a + sharpness * population.log_message(*said)
    return a


def _without_law(posterior: "FingerprintPosterior") -> Mask:
    return np.array([modality.law is None for _, modality in posterior.model.settings])


def sharpness_of(posterior: "FingerprintPosterior", subset: tuple[bool, ...]) -> float:
    """How far messages about clusters are to be believed, by held-out specimens judged by all they have."""
    used = np.array(subset)
    if not (_without_law(posterior) & used).any() or not posterior.is_held_out.any():
        return 1.0
    asked = held_out(posterior, used)
    mean, variance = fused(asked.messages, asked.is_measured)
    population = posterior.population
    log_wanted = np.log(population.weight) + population.log_latent(mean, variance)
    log_wanted = log_wanted + log_laws(posterior, asked, asked.is_measured)
    wanted = np.asarray(softmax(log_wanted, axis=1))
    losses = []
    for sharpness in SHARPNESSES:
        a = _log_probability(posterior, asked, used, sharpness)
        fit = (wanted * (a - np.asarray(logsumexp(a, axis=1, keepdims=True)))).sum()
        losses.append(0.5 * (np.log(sharpness) / DOUBT) ** 2 - fit)
    return float(SHARPNESSES[int(np.argmin(losses))])


def _naive_bayes(posterior: "FingerprintPosterior", table: xr.Dataset, used: Mask) -> Array:
    """Multiply what each modality says alone: log p = log weight + sum of (log p_m - log weight)."""
    log_weight = np.log(posterior.population.weight)
    total = np.tile(log_weight, (table.sizes["specimen"], 1))
    for m in np.flatnonzero(used):
        asked = ask(posterior, table, np.arange(len(used)) == m)
        alone = np.log(np.maximum(cluster_probability(posterior, asked), 1e-300))
        total += np.where(asked.is_used[:, [m]], alone - log_weight, 0)
    return softmax(total, axis=1)
