"""Make the pictures of docs/web-page.md again: ``python -m tests.real.page.screenshots``.

In Chromium, on the demo homelab behind a real ``jarvis serve``; a minute. Each is less than MOST_BYTES.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from assistant.models import ModelStore
from tests.real.page.browser import DESKTOP, PHONE, Browser, Page, browser
from tests.real.page.conftest import signed_in
from tests.real.page.house import page_house

DOCS = Path(__file__).resolve().parents[3] / "docs"
MOST_BYTES = 120_000


def talk_on_a_desktop(page: Page) -> None:
    """A question, its timeline, and a confirmation."""
    _ask(page, "is the backup ok?", 1)
    page.evaluate("document.querySelector('.more').open = true")
    _ask(page, "shut down endeavour", 2)
    page.until("document.getElementById('stop').hidden")
    page.until("document.querySelectorAll('.glance-card').length >= 4 && !document.querySelector('.busy')")


def talk_on_a_phone(page: Page) -> None:
    """The same in little."""
    _ask(page, "what's down?", 1)
    _ask(page, "shut down windows", 2)
    page.evaluate("document.activeElement.blur()")
    page.until("document.getElementById('stop').hidden")


def backups(page: Page) -> None:
    """Verdicts and scorecard."""
    _view(page, "backups")


def house(page: Page) -> None:
    """What runs."""
    _view(page, "house")


PICTURES = (
    ("web-page-talk.png", talk_on_a_desktop, DESKTOP, False),
    ("web-page-phone.png", talk_on_a_phone, PHONE, True),
    ("web-page-backups.png", backups, DESKTOP, True),
    ("web-page-house.png", house, DESKTOP, False),
)


def _ask(page: Page, words: str, number: int) -> None:
    page.type("#words", words)
    page.until(f"document.querySelector('#turns > :nth-child({number}) .more:not([hidden])')", 30)


def _view(page: Page, name: str) -> None:
    page.evaluate(f"location.hash = '#{name}'")
    page.until(f"document.querySelector('#view-{name} .card') && !document.querySelector('#view-{name} [aria-busy]')")


def make(chromium: Browser, url: str) -> None:
    """All of them. Raises AssertionError where one is too large."""
    with chromium.page() as page:  # the first turn of a server loads its voice
        signed_in(page, url, "anna")
        _ask(page, "is the backup ok?", 1)
    for name, show, size, dark in PICTURES:
        with chromium.page(scale=2 if size is PHONE else 1) as page:
            signed_in(page, url, "anna", size=size, dark=dark)
            show(page)
            picture = page.screenshot()
        assert len(picture) < MOST_BYTES, f"{name} has {len(picture)} bytes"
        (DOCS / name).write_bytes(picture)
        sys.stdout.write(f"docs/{name}: {len(picture)} bytes\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        folder = Path(made)
        with page_house(folder, ModelStore().models_dir, hostile=False) as served, browser(folder) as opened:
            make(opened, served.url)
