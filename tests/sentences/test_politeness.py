"""Polite orders made plain, and what only looks like one left as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.sentences import speech_of
from assistant.sentences.normalize import order_core, plain_words
from assistant.sentences.politeness import PLAIN, plainly
from tests.unmeant import DEEDS, Deed
from tools.contract import Speech


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("I'd be grateful if you would make a backup of everything", "make a backup of everything"),
        ("I wonder if you'd be so kind as to switch off every light", "switch off every light"),
        ("Would you be a dear and lock the front door?", "lock the front door"),
        ("do you think you could restart gitea", "restart gitea"),
        ("is there any chance you could start the windows vm?", "start the windows vm"),
        ("could I trouble you to open the blinds", "open the blinds"),
        ("I would appreciate it if you could dim the lamp", "dim the lamp"),
        ("do me a favour and stop minecraft", "stop minecraft"),
        ("might you shut the firewall down", "shut the firewall down"),
        ("would you mind kicking off all the backups?", "kick off all the backups"),
        ("how about closing the garage door", "close the garage door"),
        ("could I have the reading lamp on, please?", "turn on the reading lamp"),
        ("I should like the heating at nineteen degrees", "set the heating at 19 degrees"),
        ("can I get a timer for ten minutes", "set a timer for 10 minutes"),
        ("jarvis, can we put the thermostat on twenty", "put the thermostat on 20"),
    ],
)
def test_they_come_to_the_plain_order(said: str, plain: str) -> None:
    digits = {"nineteen": "19", "ten": "10", "twenty": "20"}
    core = " ".join(digits.get(word, word) for word in order_core(said).split())
    assert core == plain
    assert speech_of(said) is Speech.ORDER


@pytest.mark.parametrize(
    "said",
    [
        "can we restore the photos",
        "shall we switch off the alarm one day",
        "is it possible to restore gitea?",
        "I want to know if the fan is on",
        "would you like to restart gitea",
        "I was wondering if you had restarted gitea",
        "could I have the logs of gitea",
        "do you think gitea is slow",
        "I'm glad you turned off the lights",
        "she would be happy if you would turn off the lights",
        "what about the kitchen light",
        "is there any chance the lights are on",
    ],
)
def test_what_asks_or_tells_stays_as_it_is(said: str) -> None:
    assert PLAIN not in plain_words(said).replace("could you tell", "")


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz ", max_size=60))
def test_it_settles_at_once(words: str) -> None:
    words = " ".join(words.split())
    assert plainly(plainly(words)) == plainly(words)


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_a_polite_order_orders_what_the_plain_one_does(deed: Deed) -> None:
    assert order_core(f"I'd be most grateful if you would {deed.order}") == order_core(deed.order)
    assert order_core(f"would you mind {deed.verbs[0].doing} {deed.targets[0]}?") == order_core(deed.order)
