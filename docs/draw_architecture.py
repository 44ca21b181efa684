"""The picture of docs/architecture.md: jdmri's folders in their layers, with an arrow for each import between them.

    python docs/draw_architecture.py          writes docs/architecture.svg

Arrows come from all import statements of the package, also those inside functions. Left out: those to the lowest layer, on which everything stands, and those that a chain of others implies.
A dashed red arrow leads upward or sideways, against the layers.
"""

import ast
import html
import itertools
import math
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "jdmri"
PICTURE = Path(__file__).with_name("architecture.svg")
LAYERS = (
    {"main": "starts a mode"},
    {"command_line": "flags, modes, the config"},
    {"studies": "comparisons, tuning, reading"},
    {"evaluation": "scores, summary, card, page", "scans": "the user's own files"},
    {"training": "config → checkpoints", "report": "figures, tables, the page"},
    {"data": "file → Series → acquisition"},
    {"models": "networks"},
    {"classical": "methods without training", "phantom": "beating hearts"},
    {"masks": "what is sampled", "ops": "Fourier, SENSE, CG, maps", "losses": "of training", "metrics": "of evaluation", "statistics": "tests of scores"},
    {"runtime": "files, registry, processes, signals", "errors": "one exception for bad input", "typing": "arrays with named axes"},
)  # fmt: skip
WIDTH, BOX, HEIGHT, FLOOR, WAY = 1000, (168, 44), 92, len(LAYERS) - 1, 18
STYLE = """
text { font-family: "DejaVu Sans", Helvetica, Arial, sans-serif; text-anchor: middle; fill: #1c2733 }
.name { font-size: 14px; font-weight: bold } .note { font-size: 10px; fill: #51606f }
rect { fill: #eef3f8; stroke: #5b7f9e; stroke-width: 1.2 } .floor { fill: #f3f1ea; stroke: #a39b82 }
path { fill: none; stroke: #44617a; stroke-width: 1.3 } .against { stroke: #c0392b; stroke-dasharray: 5 3 }
"""


def draw() -> str:
    """Return the picture as SVG."""
    imports = read_imports()
    layer = place(imports)
    arrows = thin({(a, b) for a, b in imports if layer[b] < FLOOR}, layer)
    rows, ways = route(arrows, layer)
    at = settle(rows, ways)
    where = {key: (at[key], 30 + HEIGHT * level) for level, row in enumerate(rows) for key in row}
    height = 30 + HEIGHT * FLOOR + BOX[1] + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" style="fill:#44617a;stroke:none"/></marker></defs>',
        f'<rect x="0" y="0" width="{WIDTH}" height="{height}" style="fill:white;stroke:none"/>',
        *(arrow(way, where) for way in ways),
        *(box(name, *where[name], layer[name]) for name in sorted(layer)),
        f'<text class="note" x="{WIDTH / 2:.0f}" y="{height - BOX[1] - 24}">Everything above may import these: the arrows to them are left out.</text>',
        "</svg>\n",
    ]
    return "\n".join(parts)


def read_imports() -> set[tuple[str, str]]:
    """Return the pairs of entries of the package of which the first imports the second."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text())):
            if own != "__init__" and isinstance(node, ast.ImportFrom | ast.Import):
                found |= {(own, name) for name in entries(node) if name != own}
    return found


def entries(node: ast.ImportFrom | ast.Import) -> list[str]:
    """Return the entries of the package that a statement imports."""
    modules = [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        modules = [f"{node.module}.{name}" for name in modules]
    return [name.split(".")[1] for name in modules if name.startswith("jdmri.")]


def place(imports: set[tuple[str, str]]) -> dict[str, int]:
    """Return the layer of each entry; one that ``LAYERS`` does not name stands on what it imports."""
    layer = {name: level for level, names in enumerate(LAYERS) for name in names}
    for name in sorted({name for pair in imports for name in pair} - set(layer)):
        layer[name] = max(
            0, min((layer.get(b, FLOOR) for a, b in imports if a == name), default=FLOOR + 1) - 1
        )
    return {name: level for name, level in layer.items() if list(PACKAGE.glob(f"{name}*"))}


def thin(arrows: set[tuple[str, str]], layer: dict[str, int]) -> set[tuple[str, str]]:
    """Leave out arrows that a chain of others implies."""
    down = {(a, b) for a, b in arrows if layer[a] < layer[b]}

    def reaches(a, b):
        return (a, b) in down or any(reaches(c, b) for x, c in down if x == a)

    names = sorted(layer)
    implied = {(a, b) for a, b in down if any((a, c) in down and reaches(c, b) for c in names)}
    return arrows - implied


def route(arrows, layer):
    """Return what each layer holds, and the way of each arrow: past a layer it has a place of its own there."""
    rows = [[name for name in names if name in layer] for names in LAYERS]
    for name in sorted(layer):
        if name not in rows[layer[name]]:
            rows[layer[name]].append(name)
    ways = []
    for a, b in sorted(arrows):
        between = [(a, b, level) for level in range(layer[a] + 1, layer[b])]
        for way in between:
            rows[way[2]].append(way)
        ways.append([a, *between, b])
    return rows, ways


def settle(rows, ways) -> dict:
    """Return the places along x: near to the mean of their neighbours above and below."""
    near = {key: [] for row in rows for key in row}
    for way in ways:
        for a, b in itertools.pairwise(way):
            near[a].append(b)
            near[b].append(a)
    at = {key: x for row in rows for key, x in spread(row).items()}
    for _ in range(24):
        for level in [*range(FLOOR), *reversed(range(FLOOR))]:
            for key in rows[level]:  # `fsum` and `round`: the same picture from every Python
                at[key] = round(
                    math.fsum(at[k] for k in near[key] or [key]) / len(near[key] or [key]), 6
                )
            rows[level].sort(key=lambda key: (at[key], str(key)))
            at |= spread(rows[level], at)
    return at


def spread(row, wanted=None):
    """Put a layer's boxes and ways side by side, as near to where they are wanted as they fit."""
    size = [BOX[0] + 14 if isinstance(key, str) else WAY for key in row]
    free = (WIDTH - sum(size)) / (len(row) + 1)
    middles = [sum(size[:i]) + size[i] / 2 + free * (i + 1) for i in range(len(row))]
    if wanted:
        # Pushed from the left and from the right: the mean of both keeps the distances.
        pushed = push([wanted[key] for key in row], size)
        back = push([WIDTH - wanted[key] for key in reversed(row)], size[::-1])
        middles = [(x + WIDTH - y) / 2 for x, y in zip(pushed, reversed(back), strict=True)]
    return dict(zip(row, middles, strict=True))


def push(wanted: list[float], size: list[float]) -> list[float]:
    """Move middles to the right until nothing overlaps, but not out of the picture."""
    places, edge = [], 0.0
    for number, middle in enumerate(wanted):
        most = WIDTH - sum(size[number + 1 :]) - size[number] / 2
        places.append(min(max(middle, edge + size[number] / 2), most))
        edge = places[-1] + size[number] / 2
    return places


def arrow(way, where) -> str:
    """Return a curve from the foot of one box to the head of another, or between sides against the layers."""
    (x, y), (end, foot) = where[way[0]], where[way[-1]]
    half = BOX[1]
    if y >= foot:
        side = BOX[0] / 2 if end > x else -BOX[0] / 2
        curve = (
            f"M{x + side:.0f} {y + half / 2:.0f}L{end - side:.0f} {foot + half / 2:.0f}"
            if y == foot
            else f"M{x:.0f} {y}L{end:.0f} {foot + half}"
        )
        return f'<path class="against" d="{curve}" marker-end="url(#tip)"/>'
    curve, y = f"M{x:.0f} {y + half}", y + half
    for key in way[1:]:
        new, top = where[key]
        bend = (top - y) / 2
        curve += f"C{x:.0f} {y + bend:.0f} {new:.0f} {top - bend:.0f} {new:.0f} {top}"
        x, y = new, top
        if not isinstance(key, str):
            curve, y = curve + f"V{top + half}", top + half
    return f'<path d="{curve}" marker-end="url(#tip)"/>'


def box(name: str, x: float, y: float, level: int) -> str:
    """Return the box of a folder or file."""
    note = LAYERS[level].get(name, "")
    title = f"{name}/" if (PACKAGE / name).is_dir() else f"{name}.py"
    wide, tall = BOX
    kind = ' class="floor"' if level == FLOOR else ""
    return (
        f'<rect{kind} x="{x - wide / 2:.0f}" y="{y}" width="{wide:.0f}" height="{tall}" rx="6"/>'
        f'<text class="name" x="{x:.0f}" y="{y + 19}">{title}</text>'
        f'<text class="note" x="{x:.0f}" y="{y + 34}">{html.escape(note)}</text>'
    )


if __name__ == "__main__":
    PICTURE.write_text(draw())
