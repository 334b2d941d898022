"""The page in Chromium, as people use it: by voice, by typing, by a phone's link, as a guest, and without a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest

from assistant.models import ModelStore
from assistant.ports import SpeechChunk
from assistant.speech.wav import wav_bytes
from tests.real.page.browser import PHONE, Browser, Page, browser
from tests.real.page.conftest import HERE, signed_in
from tests.real.page.house import HOSTILE, served_files, token_of
from tests.serving import Served, serving

pytestmark = pytest.mark.real_server

ACCESSIBLE = (HERE / "accessible.js").read_text()
MOST_BYTES = 150_000
USABLE_MS = 1_000
TRIES = 10
"""Until one is within the limit: whatever else the machine does makes it slower, never faster."""

PAINTED_AND_READY_MS = """[
    performance.getEntriesByName("first-contentful-paint")[0].startTime,
    performance.getEntriesByName("jarvis-ready")[0].startTime,
]"""

SAID_ALL = """(() => {
    const level = Number(document.getElementById("mic").style.getPropertyValue("--level"));
    if (level > 0.1) window.loudAt = performance.now();
    return window.loudAt && performance.now() - window.loudAt > 700;
})()"""
"""The words have been heard, and then nothing for a while."""


def reply(page: Page, number: int = 1, timeout_s: float = 30.0) -> str:
    """Of the turn of that number, once it is over."""
    turn = f"document.querySelector('#turns > .turn:nth-child({number})')"
    page.until(f"{turn} && !{turn}.querySelector('.more').hidden", timeout_s)
    said: str = page.evaluate(f"{turn}.querySelector('.reply').innerText.trim()")
    return said


def transcribed(page: Page, house: Served) -> str:
    """What our own ears make of that which WebAudio was given."""
    given = page.evaluate("window.heard.map(({ rate, samples }) => [rate, samples])")
    chunks = [SpeechChunk((np.array(samples) * 32767).astype("<i2").tobytes(), rate) for rate, samples in given]
    answer = httpx.post(
        f"{house.url}/v1/audio/transcriptions",
        files={"file": ("heard.wav", wav_bytes(chunks))},
        data={"model": "whisper-1"},
        headers={"Authorization": f"Bearer {token_of('anna')}"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    said: str = answer.json()["text"]
    return said


def test_whoever_holds_the_button_and_speaks_hears_the_reply(speaking: Page, house: Served) -> None:
    speaking.hold("#mic")
    speaking.until("document.getElementById('mic').dataset.state === 'holding'")
    speaking.until(SAID_ALL)
    speaking.let_go("#mic")
    assert reply(speaking) == "Jellyfin is up."
    assert "media server" in speaking.evaluate("document.querySelector('.mine').innerText").casefold()
    assert "is up" in transcribed(speaking, house).casefold()
    assert speaking.evaluate("document.getElementById('said').textContent").strip() == "Jellyfin is up."
    assert speaking.evaluate(
        "window.streams.every((one) => one.getTracks().every((track) => track.readyState === 'ended'))"
    )
    stages = speaking.evaluate("[...document.querySelectorAll('.timeline tbody th')].map((one) => one.textContent)")
    assert {stage.split()[0] for stage in stages} >= {
        "listened",
        "transcript",
        "understood",
        "check_services",
        "speech",
    }


def test_the_space_bar_is_the_button_too(speaking: Page) -> None:
    speaking.key("keyDown", " ", "Space")
    speaking.until("document.getElementById('mic').dataset.state === 'holding'")
    speaking.until(SAID_ALL)
    speaking.key("keyUp", " ", "Space")
    assert reply(speaking) == "Jellyfin is up."


def test_hands_free_takes_what_is_said_until_it_is_quiet_and_listens_on(speaking: Page, house: Served) -> None:
    speaking.click("#hands-free")
    assert reply(speaking) == "Jellyfin is up."
    assert "is up" in transcribed(speaking, house).casefold()
    assert speaking.evaluate("document.getElementById('hands-free').checked")
    assert "listening" in speaking.until("document.getElementById('state').textContent")
    speaking.click("#hands-free")
    speaking.until("window.streams.every((one) => one.getTracks().every((track) => track.readyState === 'ended'))")


def test_a_microphone_that_is_not_allowed_is_explained(tmp_path: Path, house: Served) -> None:
    with browser(tmp_path, allowed=False) as refusing, refusing.page() as page:
        signed_in(page, house.url, "anna")
        page.click("#mic")
        page.until("document.getElementById('state').textContent.includes('not allowed for this page')")
        assert page.evaluate("document.getElementById('mic').getAttribute('aria-pressed')") == "false"


def test_over_plain_http_the_page_says_what_to_do_and_typing_works(page: Page, house: Served) -> None:
    signed_in(page, house.url.replace("127.0.0.1", "house.test"), "anna")
    page.click("#mic")
    page.until("/https.*Tailscale.*localhost/s.test(document.getElementById('state').textContent)")
    page.type("#words", "is jellyfin up?")
    assert reply(page) == "Jellyfin is up."


def test_what_is_typed_is_answered_in_words_and_aloud(anna: Page, house: Served) -> None:
    anna.type("#words", "is jellyfin up?")
    assert reply(anna) == "Jellyfin is up."
    assert "is up" in transcribed(anna, house).casefold()
    anna.click("#aloud")
    anna.evaluate("window.heard.length = 0")
    anna.type("#words", "is gitea up?")
    assert reply(anna, 2) == "Gitea is up."
    assert anna.evaluate("window.heard.length") == 0


def test_the_stop_button_and_the_next_utterance_end_the_sound(anna: Page) -> None:
    anna.type("#words", "is the backup ok?")
    anna.until("window.heard.length > 0 && !document.getElementById('stop').hidden")
    anna.click("#stop")
    anna.until("document.getElementById('stop').hidden && window.stopped > 0")
    assert reply(anna).startswith(("Three", "Four"))
    heard = anna.evaluate("window.heard.length")
    anna.type("#words", "is the backup ok?")
    anna.until(f"window.heard.length > {heard}")
    stopped = anna.evaluate("window.stopped")
    anna.type("#words", "is jellyfin up?")
    anna.until(f"window.stopped > {stopped}")
    assert reply(anna, 3) == "Jellyfin is up."


def test_a_question_is_answered_by_its_buttons(anna: Page) -> None:
    anna.type("#words", "shut down endeavour")
    assert reply(anna) == "Shall I shut down endeavour?"
    anna.click(".question button:nth-of-type(2)")
    assert "endeavour" not in reply(anna, 2)
    anna.type("#words", "shut down endeavour")
    assert reply(anna, 3) == "Shall I shut down endeavour?"
    anna.click("#turns > :nth-child(3) .question button:nth-of-type(1)")
    assert reply(anna, 4, 90) == "Endeavour is off."
    assert anna.evaluate("[...document.querySelectorAll('.question button')].every((button) => button.disabled)")


def test_a_question_that_is_too_old_says_so(anna: Page) -> None:
    anna.type("#words", "shut down windows")
    assert reply(anna) == "Shall I shut down windows?"
    anna.evaluate("{ const now = performance.now.bind(performance); performance.now = () => now() + 3_600_000; }")
    anna.until("document.querySelector('.question').innerText.includes('no longer open')")
    assert anna.evaluate("[...document.querySelectorAll('.question button')].every((button) => button.disabled)")


def test_a_timer_that_is_over_is_announced(anna: Page) -> None:
    anna.type("#words", "set a timer for two seconds")
    assert "2 seconds" in reply(anna)
    anna.until("document.querySelector('.announcement')", 30)
    assert "timer" in anna.evaluate("document.querySelector('.announcement').innerText").casefold()


def test_the_link_of_a_qr_code_signs_in_and_leaves_no_trace_of_the_token(anna: Page) -> None:
    assert "token" not in anna.evaluate("location.href")
    assert anna.evaluate("localStorage.getItem('jarvis.token')") == token_of("anna")
    assert not any(token_of("anna") in url for url in anna.requests)
    anna.click("#sign-out")
    anna.until("!document.getElementById('view-sign-in').hidden")
    assert anna.evaluate("localStorage.getItem('jarvis.token')") is None
    assert anna.evaluate("document.getElementById('glance').children.length") == 0
    anna.type("#token", token_of("ben"))
    anna.until("document.getElementById('who').textContent.includes('ben')")


def test_a_token_that_is_not_valid_is_said_to_be_so(page: Page, house: Served) -> None:
    page.open(f"{house.url}/#token=wrong")
    page.until("document.getElementById('sign-in-error').textContent.includes('not valid')")
    assert page.evaluate("localStorage.getItem('jarvis.token')") is None


def test_a_guest_sees_no_parts_of_the_owner_and_changes_nothing(page: Page, house: Served) -> None:
    signed_in(page, house.url, "carla")
    assert page.evaluate("document.getElementById('nav-access').hidden")
    page.evaluate("location.hash = '#access'")
    page.until("!document.getElementById('view-talk').hidden")
    page.type("#words", "shut down windows")
    assert "?" not in reply(page)
    assert page.evaluate("!document.querySelector('.question button')")


def test_the_owner_makes_a_token_shown_once_and_takes_it_back(anna: Page, house: Served) -> None:
    anna.evaluate("location.hash = '#access'")
    anna.until("document.getElementById('new-name')")
    anna.type("#new-name", "kitchen tablet")
    secret = anna.until("document.querySelector('.secret')?.textContent")
    assert anna.until("document.querySelector('.qr').naturalWidth") > 0
    with httpx.Client(base_url=house.url, headers={"Authorization": f"Bearer {secret}"}) as tablet:
        assert tablet.get("/api/me").json()["role"] == "member"
        assert "kitchen tablet" in anna.until("document.querySelector('#access .rows')?.innerText")
        anna.click("[aria-label='Revoke the token of kitchen tablet']")
        anna.click(".sure .danger")
        anna.until("!document.querySelector('#access .rows').innerText.includes('kitchen tablet')")
        assert tablet.get("/api/me").status_code == 401


def test_the_first_token_of_all_is_the_owners_own_and_signs_the_page_in(
    page: Page, tmp_path: Path, model_store: ModelStore
) -> None:
    configuration = 'engine = "sentences"\n[services.gitea]\nurl = "http://127.0.0.1:1/"\n'
    with serving(tmp_path, configuration, JARVIS_MODELS=str(model_store.models_dir)) as fresh:
        page.open(f"{fresh.url}/#access")
        page.until("document.getElementById('new-name')")
        page.evaluate("document.getElementById('new-role').value = 'guest'")
        page.type("#new-name", "dora")
        page.until("document.querySelector('#access [role=alert]').textContent.includes('yourself first')")
        page.evaluate("document.getElementById('new-role').value = 'owner'")
        page.evaluate("document.querySelector('#access form').requestSubmit()")
        page.until("document.querySelector('.secret') && !document.getElementById('sign-out').hidden")
        assert httpx.get(f"{fresh.url}/api/services").status_code == 401
        page.evaluate("location.hash = '#house'")
        page.until("document.getElementById('house').innerText.includes('gitea')")


def test_a_task_is_cancelled(anna: Page) -> None:
    anna.type("#words", "set a timer for two hours")
    assert "2 hours" in reply(anna)
    anna.evaluate("location.hash = '#house'")
    anna.until("document.querySelector('#house .card') && !document.querySelector('#house [aria-busy]')")
    anna.click("#house [aria-label^='Cancel']")
    anna.until("document.getElementById('notice').textContent.includes('cancelled')")
    anna.until("!document.querySelector('#house [aria-label^=\"Cancel\"]')")


def test_text_that_would_be_markup_is_text(anna: Page) -> None:
    anna.evaluate("location.hash = '#house'")
    anna.until(f"document.getElementById('house').innerText.includes({json.dumps(HOSTILE)})")
    anna.evaluate("location.hash = '#talk'")
    anna.type("#words", f"is {HOSTILE} up?")
    reply(anna)
    assert anna.evaluate(f"document.querySelector('.mine').textContent.includes({json.dumps(HOSTILE)})")
    assert anna.evaluate("document.querySelectorAll('img:not([src^=\"/page/\"])').length") == 0
    assert anna.evaluate("document.title") == "Jarvis"


@pytest.mark.parametrize("size", [(1280, 820), PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_everything_has_a_name_and_can_be_read(page: Page, house: Served, size: tuple[int, int], dark: bool) -> None:
    page.open(house.url, size=size, dark=dark)
    page.until("!document.getElementById('view-sign-in').hidden")
    assert page.evaluate(ACCESSIBLE) == []
    page.evaluate("location.hash = ''")
    signed_in(page, house.url, "anna", size=size, dark=dark)
    page.type("#words", "shut down windows")
    reply(page)
    page.evaluate("document.querySelector('.more').open = true")
    assert page.evaluate(ACCESSIBLE) == []
    for view in ("house", "backups", "turns", "access"):
        page.evaluate(f"location.hash = '#{view}'")
        page.until(
            f"document.querySelector('#view-{view} .card') && !document.querySelector('#view-{view} [aria-busy]')"
        )
        assert page.evaluate(ACCESSIBLE) == [], view
    assert [one for one in page.complaints if "Failed to load resource" not in one] == []  # a policy that was broken


def test_plots_say_in_words_what_they_show(anna: Page) -> None:
    anna.evaluate("location.hash = '#backups'")
    anna.until("document.querySelectorAll('#backups .plot').length >= 6")
    labels = anna.evaluate("[...document.querySelectorAll('#backups svg[role=img]')].map((one) => one.ariaLabel)")
    assert any(label.startswith("Verdicts: 1 failed, 1 stale, 1 unverified") for label in labels)
    assert any(label.startswith("Age of photos: backed up") for label in labels)
    assert any(label.startswith("Sizes of photos:") for label in labels)
    survivors = anna.evaluate("document.querySelectorAll('#backups table')[1].innerText")
    assert "ransomware" in survivors
    assert "nothing" in survivors


def test_it_is_usable_within_a_second_small_and_asks_no_other_host(
    chromium: Browser, house: Served, record_property: Callable[[str, object], None]
) -> None:
    took = []
    for _ in range(TRIES):  # each with empty caches
        with chromium.page() as page:
            signed_in(page, house.url, "anna")
            page.until("document.querySelectorAll('.glance-card').length >= 4")
            page.until("navigator.serviceWorker.controller")
            took.append(max(page.evaluate(PAINTED_AND_READY_MS)))
            record_property("page", f"painted and ready after {took[-1]:.0f} ms, {page.received} bytes")
            assert page.received <= MOST_BYTES
            assert {httpx.URL(url).netloc for url in page.requests if not url.startswith("data:")} == {
                httpx.URL(house.url).netloc
            }
        if took[-1] <= USABLE_MS:
            break
    assert min(took) <= USABLE_MS


def test_it_opens_without_the_server_and_has_kept_nothing_but_itself(chromium: Browser) -> None:
    with chromium.page() as page:
        with served_files() as url:
            page.open(url)
            page.until("navigator.serviceWorker.controller")
            kept = page.evaluate(
                "caches.open('jarvis-shell').then((one) => one.keys())"
                ".then((all) => all.map(({ url }) => new URL(url).pathname))"
            )
            assert all(path == "/" or path.startswith("/page/") for path in kept)
        page.call("Page.reload")
        page.until("document.getElementById('notice')?.textContent.includes('does not answer')")
        assert page.evaluate("document.querySelector('.brand').innerText.trim()") == "Jarvis"
        assert page.evaluate("getComputedStyle(document.body).display") == "grid"  # the style sheet, too
