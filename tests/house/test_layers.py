"""The plan of the house: what may import what, who sees configs, and how long a file may be."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "jdmri"

# From the foundation upwards. A module imports its own folder and those of lower lines, also inside of functions.
LAYERS = [
    {"errors", "typing"},
    {"runtime"},
    {"ops", "masks", "losses", "metrics", "statistics"},
    {"classical", "phantom"},
    {"models", "weights"},
    {"data"},
    {"training", "report"},
    {"evaluation", "scans"},
    {"studies"},
    {"command_line"},
    {"main", "__init__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

# Modules that import ml_collections; all others take plain values.
SEE_CONFIGS = {
    "command_line/parser.py", "studies/runs.py", "training/build.py", "training/workdir.py",
}  # fmt: skip

MAX_LINES = 250


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def name(path):
    return path.relative_to(PACKAGE).as_posix()


def imported(path, nodes=ast.walk):
    """Full names of what a module imports, wherever in it: ``jdmri.ops.sense``."""
    for node in nodes(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def violations(path):
    """Name what is wrong with a module's place."""
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own not in LEVEL:
        yield "has no layer"
        return
    for full in imported(path):
        root, *rest = full.split(".")
        if root != "jdmri" or (rest and rest[0] == own):
            continue
        if not rest or LEVEL.get(rest[0], len(LAYERS)) >= LEVEL[own]:
            yield rest[0] if rest else "jdmri"


def test_a_module_imports_its_own_folder_or_a_lower_layer():
    found = {(name(path), what) for path in modules() for what in violations(path)}
    assert found == set(), "these imports go upwards"


def test_every_layer_exists():
    entries = {path.name.removesuffix(".py") for path in PACKAGE.iterdir()}
    assert set(LEVEL) <= entries


def test_the_package_imports_its_parts_when_they_are_asked_for():
    at_once = imported(PACKAGE / "__init__.py", ast.iter_child_nodes)
    assert not [full for full in at_once if full.startswith("jdmri")]


def test_only_the_modules_of_one_list_see_configs():
    found = {name(p) for p in modules() if any("ml_collections" in i for i in imported(p))}
    assert found == SEE_CONFIGS, "others must take plain values"


def test_files_are_short():
    lengths = {name(path): len(path.read_text().splitlines()) for path in modules()}
    assert {path: n for path, n in lengths.items() if n > MAX_LINES} == {}


def test_tests_import_no_tests_and_only_their_own_import_benchmarks():
    found = set()
    for path in sorted((ROOT / "tests").rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        for full in imported(path):
            root, *rest = full.split(".")
            own = place.startswith("tests/benchmarks/") or path.name == "test_peers.py"
            if root == "benchmarks" and not own:
                found.add((place, full))
            if root == "tests" and any(part.startswith("test_") for part in rest):
                found.add((place, full))
    assert found == set()
