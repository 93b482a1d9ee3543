"""A small sheet of a lab: 16 annealed specimens, whose phase and hardness change at 740 °C."""

import numpy as np
import pandas as pd

TEMPERATURE = np.linspace(600, 900, 16)
SHEET = pd.DataFrame(
    {
        "specimen": [f"s{i}" for i in range(16)],
        "temperature (°C)": TEMPERATURE,
        "phase": np.where(TEMPERATURE < 740, "alpha", "beta"),
        "hardness (GPa)": np.where(TEMPERATURE < 740, 2.0, 5.0)
        + 0.1 * np.random.default_rng(0).standard_normal(16),
    }
)
