"""The form of the data: dimensions, roles, units; a table from pandas; checks; netCDF files."""

from tieline.schema.checks import check as check
from tieline.schema.checks import require as require
from tieline.schema.checks import require_finite as require_finite
from tieline.schema.checks import require_table as require_table
from tieline.schema.closure import BASES as BASES
from tieline.schema.dataframe import table as table
from tieline.schema.formula import chemical_systems as chemical_systems
from tieline.schema.formula import compositions as compositions
from tieline.schema.formula import parse_formula as parse_formula
from tieline.schema.netcdf import open_netcdf as open_netcdf
from tieline.schema.netcdf import save_netcdf as save_netcdf
from tieline.schema.places import align as align
from tieline.schema.places import as_variables as as_variables
from tieline.schema.places import in_units_of as in_units_of
from tieline.schema.places import require_places as require_places
from tieline.schema.records import specimens_of as specimens_of
from tieline.schema.roles import ROLES as ROLES
from tieline.schema.roles import guess_role as guess_role
from tieline.schema.roles import is_label as is_label
from tieline.schema.weights import atomic_weights as atomic_weights
