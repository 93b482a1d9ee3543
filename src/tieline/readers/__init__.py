"""Files of a lab, in whatever layout -> a record: `load`, and `preview` to look before."""

from tieline.readers.load import load as load
from tieline.readers.preview import preview as preview
