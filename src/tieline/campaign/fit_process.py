"""Fit a campaign as a process of its own: `python -m tieline.campaign.fit_process FOLDER FIT`."""

import sys

from tieline.campaign.campaign import Campaign
from tieline.campaign.fitting import carry_out
from tieline.errors import Conflict, TielineError


def main(folder: str, name: str) -> int:
    """Do a fit that was written down as begun; and again, as long as data arrived meanwhile."""
    with Campaign.open(folder) as campaign:
        try:
            carry_out(campaign.path, campaign.store, name, campaign.record(), campaign.settings)
            while campaign.is_stale:
                campaign.fit()
        except (KeyboardInterrupt, Conflict):
            return 1  # cancelled
        except TielineError as error:
            print(error, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
