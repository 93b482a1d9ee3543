"""Files of a lab -> a record: `load`, and `preview` to look before; `volume` reads a scan."""

from tieline.readers.load import load as load
from tieline.readers.preview import preview as preview
from tieline.readers.volumes import volume as volume
