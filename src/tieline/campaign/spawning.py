"""A fit as an operating-system process of its own, which outlives whoever started it."""

import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

from tieline.campaign.fits import beat, this_process
from tieline.campaign.store.store import Store

LOG = "fit.log"  # what a process says that dies


def spawn(folder: Path, store: Store, name: str) -> None:
    """Start the process of a fit that was written down as begun."""
    command = [sys.executable, "-m", "tieline.campaign.fit_process", str(folder.resolve()), name]
    with (folder / LOG).open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=os.name != "nt",  # a closed terminal does not end it
        )
    beat(store, name, "starting", this_process(process.pid))
    # Whoever starts a process is asked to take notice of its end.
    Thread(target=process.wait, daemon=True, name=f"end of {name}").start()
