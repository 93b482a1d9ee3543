"""Multimodal autoencoders of multivae, and nearest neighbours that were told the lines."""

import sys
from types import ModuleType

import numpy as np
from sklearn.cluster import KMeans
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from benchmarks.fingerprint_data import DigitSplit

N_LATENT = 8
N_NEIGHBOURS = 5
SCALES = {"image": 0.2, "line": 0.03}  # of noise, which these models do not learn
RATES = {"digits": (2e-3, 60), "mnist5k": (1e-3, 25)}  # of learning, and epochs
BATCH = 128
MODELS = ("JMVAE", "MVAE", "MoPoE", "CMVAE")
Answer = dict[str, np.ndarray]


def neighbours(split: DigitSplit, seed: int) -> Answer:
    """Five nearest images: whose digit is given to them, and whose lines are averaged."""
    image = split.table["image"].values.reshape(len(split.digit), -1)
    line = split.table["line"].values
    known, asked = image[split.known], image[split.asked]
    classify = KNeighborsClassifier(N_NEIGHBOURS).fit(known, split.digit[split.known])
    regress = KNeighborsRegressor(N_NEIGHBOURS).fit(known, line[split.known])
    return {"cluster_of_image": classify.predict(asked), "line": regress.predict(asked)}


def multivae(name: str, source: str, split: DigitSplit, seed: int) -> Answer:
    """Train a model of multivae, cluster its latent places, and predict each modality from the other."""
    import torch
    from torch.utils.data import DataLoader

    _without_plots()
    from multivae import models
    from multivae.data.datasets.base import MultimodalBaseDataset

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    data, top = _tensors(split)
    known = MultimodalBaseDataset({k: v[split.known] for k, v in data.items()})
    asked = MultimodalBaseDataset({k: v[split.asked] for k, v in data.items()})
    settings = {
        "n_modalities": 2,
        "latent_dim": N_LATENT,
        "input_dims": {k: tuple(v.shape[1:]) for k, v in data.items()},
        "decoders_dist": dict.fromkeys(data, "normal"),
        "decoder_dist_params": {k: {"scale": s} for k, s in SCALES.items()},
    }
    if name == "CMVAE":
        settings |= {"modalities_specific_dim": N_LATENT, "K": 1, "number_of_clusters": 10}
    model = getattr(models, name)(getattr(models, f"{name}Config")(**settings))
    rate, n_epochs = RATES[source]
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    loader = DataLoader(known, batch_size=BATCH, shuffle=True, drop_last=True)
    model.train()
    for epoch in range(1, n_epochs + 1):
        for i, batch in enumerate(loader):
            optimiser.zero_grad()
            model(batch, epoch=epoch, batch_ratio=i / len(loader)).loss.backward()
            optimiser.step()
    model.eval()
    with torch.no_grad():
        places = {
            way: model.encode(asked, cond_mod=way, return_mean=True).z.reshape(len(split.asked), -1).numpy()
            for way in ("image", "line")
        }
        joint = model.encode(known, cond_mod="all", return_mean=True).z.reshape(len(split.known), -1).numpy()
        line = model.predict(asked, cond_mod="image", gen_mod="line")["line"].numpy()
        image = model.predict(asked, cond_mod="line", gen_mod="image")["image"].numpy()
    clusters = KMeans(10, n_init=10, random_state=seed).fit(joint)
    return {
        "cluster_of_image": clusters.predict(places["image"]),
        "cluster_of_line": clusters.predict(places["line"]),
        "line": 10 * line.reshape(len(split.asked), -1),
        "image": top * image.reshape(len(split.asked), *split.table["image"].shape[1:]),
    }


def _tensors(split: DigitSplit) -> tuple[dict, float]:
    """Both modalities between about 0 and 1, as the decoders of multivae end in a sigmoid."""
    import torch

    top = float(split.table["image"].max())
    image = torch.tensor(split.table["image"].values / top, dtype=torch.float32).unsqueeze(1)
    return {"image": image, "line": torch.tensor(split.table["line"].values / 10, dtype=torch.float32)}, top


def _without_plots() -> None:
    """Let multivae be imported where torchvision cannot be loaded: it only draws grids of images with it."""
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError):
        for part in ("", ".transforms", ".models", ".datasets", ".datasets.utils", ".utils"):
            sys.modules[f"torchvision{part}"] = _Absent(f"torchvision{part}")


class _Absent(ModuleType):
    """A module whose every name is an empty class."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})
