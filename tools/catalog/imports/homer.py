"""Homer's dashboard (``config.yml``): services → groups → items with name, subtitle, url, logo, tag. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tools.catalog.found import Found, clean, is_web, name_from, without_empty
from tools.catalog.imports.yaml_text import read_yaml, tables


def from_homer(text: str) -> Iterator[Found]:
    """Its items, in their order. Raises ImportFileError.

    ``group`` is the name of the item's group, else its tag; a page without a whole http(s) address keeps none.
    """
    for group in tables(read_yaml(text).get("services")):
        heading = clean(group.get("name"))
        for item in tables(group.get("items")):
            name = name_from(clean(item.get("name")))
            if not name:
                continue
            url, notes = clean(item.get("url"), 2000), []
            if url and not is_web(url):
                notes.append(f"its address {url!r} is no whole http(s) address and was left out")
            yield Found(
                name=name,
                where=f"{heading or 'no group'}: {clean(item.get('name'))}",
                fields=without_empty(
                    url=url if is_web(url) else None,
                    description=clean(item.get("subtitle")),
                    group=heading or clean(item.get("tag")),
                    icon=clean(item.get("logo")),
                ),
                notes=tuple(notes),
            )
