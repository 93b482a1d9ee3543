"""The rules of the house, read off the source itself."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
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
EXECUTE = {"eval", "exec", "yaml.load", "pd.read_pickle", "pandas.read_pickle"}

files = sorted(SOURCE.rglob("*.py"))
in_rooms = [f for f in files if f != DOOR]


@cache
def nodes_of(file: Path) -> list[ast.AST]:
    """All that a file says, the module first: it is read once, for whatever is asked of it."""
    return list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))


def offences(found: dict[Path, Iterable[str]]) -> dict[str, list[str]]:
    """What is not as it should be, by the files that it stands in."""
    return {f.relative_to(SOURCE).as_posix(): sorted(names) for f, names in found.items() if names}


def room(file: Path) -> str:
    return file.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Name every imported module, at whatever depth; `from tieline import units` is `tieline.units`."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide which room they come from"
            assert node.module is not None
            is_door = node.module == "tieline"
            yield from (f"tieline.{alias.name}" for alias in node.names) if is_door else (node.module,)


def rooms_of(nodes: Iterable[ast.AST]) -> set[str]:
    return {name.split(".")[1] for name in imported(nodes) if name.startswith("tieline.")}


def test_every_room_is_in_the_order():
    assert {room(f) for f in in_rooms} <= set(ROOMS)


def test_a_room_imports_only_from_rooms_before_it():
    allowed = {name: set(ROOMS[: i + 1]) for i, name in enumerate(ROOMS)}
    assert offences({f: rooms_of(nodes_of(f)) - allowed[room(f)] for f in in_rooms}) == {}


def test_of_the_door_a_room_reads_the_version_only():
    def read(file):
        ours = (node for node in nodes_of(file) if isinstance(node, ast.Attribute))
        return {n.attr for n in ours if isinstance(n.value, ast.Name) and n.value.id == "tieline"}

    assert offences({f: read(f) - {"__version__"} for f in in_rooms}) == {}


def test_a_room_below_is_found_wherever_it_is_imported():
    function = ast.parse("def late():\n    from tieline.cli import app\n    import tieline.figures.maps")
    assert rooms_of(ast.walk(function)) == {"cli", "figures"}


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


def test_nothing_that_is_read_is_executed():
    assert offences({f: set(executing(nodes_of(f))) for f in files}) == {}


def test_what_executes_is_found():
    code = "from joblib import load\neval(a)\npd.read_pickle(b)\nnp.load(c, allow_pickle=True)\nre.eval(d)"
    found = set(executing(ast.walk(ast.parse(code))))
    assert found == {"joblib", "eval", "pd.read_pickle", "allow_pickle"}


def executing(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Name what would run the code in a file that is read."""
    nodes = list(nodes)
    yield from EXECUTES & {name.split(".")[0] for name in imported(nodes)}
    for call in (node for node in nodes if isinstance(node, ast.Call)):
        last = getattr(call.func, "attr", getattr(call.func, "id", ""))
        if last in {name.split(".")[-1] for name in EXECUTE} and (whole := ast.unparse(call.func)) in EXECUTE:
            yield whole
        yield from {"allow_pickle"} & {keyword.arg for keyword in call.keywords}


def test_every_imported_package_is_a_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {_plain(_name_in(text)) for text in project["dependencies"]}
    extras = project["optional-dependencies"]
    providers = packages_distributions()
    missing = {}
    for file in files:
        text = file.read_text(encoding="utf-8")
        roots = {name.split(".")[0] for name in imported(nodes_of(file))}
        for root in roots - sys.stdlib_module_names - {"tieline"}:
            # Who imports a part that is an extra says that it may be missing; here too it may be.
            owners = {_plain(name) for name in providers.get(root, ())}
            offering = [
                extra
                for extra, parts in extras.items()
                if not owners or owners & {_plain(_name_in(part)) for part in parts}
            ]
            is_extra = any(re.search(rf'not_installed\([^)]*"{extra}"', text) for extra in offering)
            if not is_extra and not owners & declared:
                missing.setdefault(root, file.name)
    assert missing == {}


def test_every_file_and_everything_public_has_a_docstring():
    def silent(file):
        module, *_ = nodes_of(file)
        assert isinstance(module, ast.Module)
        nameless = [] if ast.get_docstring(module) else ["the module"]
        return [*nameless, *(node.name for node in public(module) if not ast.get_docstring(node))]

    assert offences({f: silent(f) for f in files}) == {}


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
