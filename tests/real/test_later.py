"""An order for a time that is not understood is not carried out now, whatever the model picks."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.conversation import Conversation
from tests.no_acts import Reckless
from tests.rehearsal import house_settings, talking_to
from tests.unmeant import DEEDS
from tools.recording import RecordingHouse

LATER = (
    "every full moon turn off the kitchen lights",
    "at dusk turn off the heating",
    "after dinner switch off the kitchen lights",
    "when the movie ends turn off the kitchen lights",
    "once the backup is done turn off the heating",
    "as soon as I leave lock the front door",
    "before midnight start minecraft",
)


@pytest.mark.real_models
async def test_what_is_for_later_is_not_done_now(models_dir: Path, tmp_path: Path) -> None:
    with RecordingHouse(house_settings(), tmp_path) as house:
        async with talking_to(house, Reckless(DEEDS[0]), models_dir=models_dir) as talk:
            for text in LATER:
                happened = await talk.say(text, Conversation())
                assert [call for call in happened.acts if call.tool != "schedule"] == [], text
