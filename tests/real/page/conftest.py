"""One house and one browser for all; a browser of its own where the microphone is another."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant.models import ModelStore
from tests.real.page.browser import Browser, Page, browser
from tests.real.page.house import page_house, token_of
from tests.serving import Served

CLIP = Path(__file__).resolve().parents[3] / "audio_fixtures" / "is_the_media_server_up.wav"
LEAD_S, TAIL_S = 1.0, 4.0
"""Silence around the words, so that opening the microphone cuts nothing off and their end can be heard."""

HERE = Path(__file__).parent
LISTENING_IN = (HERE / "listening_in.js").read_text()


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory, model_store: ModelStore) -> Iterator[Served]:
    with page_house(tmp_path_factory.mktemp("page-house"), model_store.models_dir) as opened:
        yield opened


@pytest.fixture(scope="package")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Nothing open yet."""
    with chromium.page() as opened:
        yield opened


@pytest.fixture
def anna(page: Page, house: Served) -> Page:
    """The owner, signed in by the link of a QR code."""
    return signed_in(page, house.url, "anna")


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wav for the microphone: "is the media server up", with silence around."""
    with wave.open(str(CLIP)) as clip:
        rate, samples = clip.getframerate(), np.frombuffer(clip.readframes(clip.getnframes()), dtype="<i2")
    quiet = [np.zeros(int(rate * seconds), dtype="<i2") for seconds in (LEAD_S, TAIL_S)]
    path = tmp_path_factory.mktemp("microphone") / "words.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(np.concatenate([quiet[0], samples, quiet[1]]).tobytes())
    return path


@pytest.fixture
def speaking(tmp_path: Path, words: Path, house: Served) -> Iterator[Page]:
    """The owner, in a browser whose microphone hears the words."""
    with browser(tmp_path, microphone=words) as opened, opened.page() as page:
        yield signed_in(page, house.url, "anna")


def signed_in(page: Page, url: str, name: str, *, size: tuple[int, int] = (1280, 820), dark: bool = False) -> Page:
    """One of the house's people, at the page; what it plays is noted."""
    page.on_every_page(LISTENING_IN)
    page.open(f"{url}/#token={token_of(name)}", size=size, dark=dark)
    page.until("!document.getElementById('views').hidden")
    return page
