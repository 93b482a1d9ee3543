"""The rules of the house, read off the source itself."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import tieline

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "tieline"
DOOR = SOURCE / "__init__.py"
LONGEST = 500  # lines of a file

# A room imports only from those before it.
ROOMS = (
    *("errors", "progress", "units", "schema", "datasets", "worlds", "readers", "features", "models"),
    *("evaluation", "insight", "planning", "figures", "campaign", "client", "service", "cli"),
)
EXECUTES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}

files = sorted(SOURCE.rglob("*.py"))
in_rooms = pytest.mark.parametrize(
    "file", [f for f in files if f != DOOR], ids=lambda f: f.relative_to(SOURCE).as_posix()
)


def room(file: Path) -> str:
    return file.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> Iterator[str]:
    """Name every imported module, at whatever depth; `from tieline import units` is `tieline.units`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide which room they come from"
            assert node.module is not None
            is_door = node.module == "tieline"
            yield from (f"tieline.{alias.name}" for alias in node.names) if is_door else (node.module,)


def rooms_of(tree: ast.AST) -> set[str]:
    return {name.split(".")[1] for name in imported(tree) if name.startswith("tieline.")}


def test_every_room_is_in_the_order():
    assert {room(f) for f in files if f != DOOR} <= set(ROOMS)


@in_rooms
def test_a_room_imports_only_from_rooms_before_it(file):
    allowed = ROOMS[: ROOMS.index(room(file)) + 1]
    assert rooms_of(ast.parse(file.read_text(encoding="utf-8"))) <= set(allowed)


@in_rooms
def test_of_the_door_a_room_reads_the_version_only(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    read = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "tieline"
    }
    assert read <= {"__version__"}


def test_a_room_below_is_found_wherever_it_is_imported():
    function = ast.parse("def late():\n    from tieline.cli import app\n    import tieline.figures.maps")
    assert rooms_of(function) == {"cli", "figures"}


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks", "docs", "examples"])
def test_no_file_is_too_long(folder):
    lengths = {f: len(f.read_text(encoding="utf-8").splitlines()) for f in (ROOT / folder).rglob("*.py")}
    assert {str(f.relative_to(ROOT)): n for f, n in lengths.items() if n > LONGEST} == {}


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, tieline; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(loaded.split()).isdisjoint({"jax", "matplotlib", "fastapi", "numpy", "pandas", "xarray"})
    assert "tieline" in loaded.split()


def test_public_names_are_sorted_and_all_have_a_home():
    assert tieline.__all__ == sorted(tieline.__all__)
    assert set(tieline.__all__) == set(tieline._HOME)
    assert dir(tieline) == tieline.__all__


def test_type_checkers_see_the_names_where_they_live():
    tree = ast.parse(DOOR.read_text(encoding="utf-8"))
    (block,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    )
    seen = {alias.name: node.module for node in block.body for alias in node.names}
    assert seen == {name: home or "tieline" for name, home in tieline._HOME.items()}


@pytest.mark.parametrize("name", tieline.__all__)
def test_public_names_are_what_their_home_says(name):
    home = tieline._HOME[name]
    wanted = getattr(import_module(home), name) if home else import_module(f"tieline.{name}")
    assert getattr(tieline, name) is wanted


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'fit'"):
        _ = tieline.fit


@pytest.mark.parametrize("file", files, ids=lambda f: f.relative_to(SOURCE).as_posix())
def test_nothing_that_is_read_is_executed(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert {name.split(".")[0] for name in imported(tree)}.isdisjoint(EXECUTES)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        assert ast.unparse(call.func) not in (
            "eval",
            "exec",
            "yaml.load",
            "pd.read_pickle",
            "pandas.read_pickle",
        )
        assert "allow_pickle" not in {keyword.arg for keyword in call.keywords}


def test_every_imported_package_is_a_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {_plain(_name_in(text)) for text in project["dependencies"]}
    extras = project["optional-dependencies"]
    providers = packages_distributions()
    missing = {}
    for file in files:
        text = file.read_text(encoding="utf-8")
        roots = {name.split(".")[0] for name in imported(ast.parse(text))}
        for root in roots - sys.stdlib_module_names - {"tieline"}:
            # Who imports a part that is an extra says that it may be missing.
            owners = {_plain(name) for name in providers[root]}
            offering = [e for e, parts in extras.items() if owners & {_plain(_name_in(p)) for p in parts}]
            is_extra = any(re.search(rf'not_installed\([^)]*"{extra}"', text) for extra in offering)
            if not is_extra and not owners & declared:
                missing.setdefault(root, file.name)
    assert missing == {}


@pytest.mark.parametrize("file", files, ids=lambda f: f.relative_to(SOURCE).as_posix())
def test_everything_public_has_a_docstring(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module has none"
    assert [node.name for node in public(tree) if not ast.get_docstring(node)] == []


def public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Every public function and class, and the public methods of public classes."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in tree.body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (m for m in node.body if isinstance(m, kinds) and not m.name.startswith("_"))


def _name_in(requirement: str) -> str:
    return re.split(r"[<>=\[; ]", requirement)[0]


def _plain(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
