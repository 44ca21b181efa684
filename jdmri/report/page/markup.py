"""Text, tables, figures and the card as HTML; every text is escaped."""

import base64
import html
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from jdmri.report.page.content import Table

_LARGEST_SVG = 400_000  # bytes; above, points are cheaper than shapes


def text(value: object) -> str:
    """Escape a text."""
    return html.escape(str(value))


def paragraphs(sentences: Sequence[str]) -> str:
    """One paragraph a sentence."""
    return "\n".join(f"<p>{text(s)}</p>" for s in sentences)


def warning(note: str) -> str:
    """A note that must be seen, or nothing."""
    return f'<p class="warning" role="note">{text(note)}</p>' if note else ""


def tables(items: Sequence[Table]) -> str:
    """Tables whose columns the browser sorts."""
    return "\n".join(map(_table, items))


def figures(items: Mapping[str, Figure]) -> str:
    """Figures as pictures inside the page, caption below."""
    return "\n".join(
        f'<figure class="paper"><img alt="{text(caption)}" src="{_picture(figure)}">'
        f"<figcaption>{text(caption)}</figcaption></figure>"
        for caption, figure in items.items()
    )


def card(content: Mapping[str, Any]) -> str:
    """Nested mappings as lists that open and close."""
    return f'<div class="card">{_entries(content)}</div>' if content else ""


def section(title: str, content: str) -> str:
    """A headed section, or nothing when it would be empty."""
    return f"<section><h2>{text(title)}</h2>{content}</section>" if content else ""


def _table(table: Table) -> str:
    head = "".join(
        f'<th scope="col"><button type="button">{text(h)}</button></th>' for h in table.header
    )
    body = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    note = f'<p class="small">{text(table.note)}</p>' if table.note else ""
    return (
        f'<div class="table"><div class="bar"><h3>{text(table.title)}</h3>'
        '<button type="button" class="quiet copy">Copy as CSV</button></div>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text(table.title)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{note}</div>"
    )


def _cell(content: str) -> str:
    marked = re.fullmatch(r"\*\*(.*)\*\*", content, re.DOTALL)
    return f"<td><strong>{text(marked[1])}</strong></td>" if marked else f"<td>{text(content)}</td>"


def _picture(figure: Figure) -> str:
    svg = _saved(figure, "svg", metadata={"Date": None})
    if len(svg) <= _LARGEST_SVG:
        return _uri("svg+xml", svg)
    return _uri("png", _saved(figure, "png", dpi=160))


def _saved(figure: Figure, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=form, **options)
    return buffer.getvalue()


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _entries(content: Mapping[str, Any]) -> str:
    return "".join(_entry(_spoken(name), value) for name, value in content.items())


def _entry(name: str, value: Any) -> str:
    if isinstance(value, Mapping) and value:
        return f"<details><summary>{text(name)}</summary>{_entries(value)}</details>"
    if isinstance(value, list | tuple) and any(isinstance(v, Mapping) for v in value):
        return _entry(name, {str(i): v for i, v in enumerate(value, 1)})
    return f'<div class="entry"><span>{text(name)}</span><span>{text(_value(value))}</span></div>'


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value)) or "none"
    return "not stated" if value is None or value in ("", {}) else str(value)


def _spoken(name: object) -> str:
    return str(name).replace("_", " ")
