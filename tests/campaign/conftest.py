"""Puts this folder on the path, where the furnace runs live that several tests import."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
