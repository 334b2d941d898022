"""Scores of wake words over time, as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from assistant.cli.wake_plot import Trace
from assistant.errors import AudioError
from assistant.speech.wake_scores import CHUNK_S

LANE_INCHES = 1.8
WIDTH_INCHES = 11.0


def write_picture(trace: Trace, path: Path, title: str) -> None:
    """A PNG with one lane for each word. Raises AudioError not_written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure  # half a second: only where a picture is wanted

    words = list(trace.triggers)
    figure = Figure(figsize=(WIDTH_INCHES, LANE_INCHES * len(words) + 0.9), layout="constrained")
    FigureCanvasAgg(figure)
    lanes = figure.subplots(len(words), 1, sharex=True, squeeze=False)[:, 0]
    for lane, word in zip(lanes, words, strict=True):
        scores, trigger = trace.scores[word], trace.triggers[word]
        ends = trace.began_s + CHUNK_S * np.arange(len(scores) + 1)
        lane.stairs(scores, ends, fill=True, color="#9ecae1")
        lane.stairs(scores, ends, color="#2171b5", linewidth=1)
        lane.axhline(trigger.threshold, color="#cb181d", linestyle="--", linewidth=1)
        for heard in trace.detections:
            if heard.detection.word == word and heard.at_s > trace.began_s:
                lane.axvline(heard.at_s, color="#238b45", linewidth=1.5)
                said = f"{heard.detection.score:.2f}"
                lane.annotate(said, (heard.at_s, 1.02), xytext=(3, -10), textcoords="offset points", color="#238b45")
        patience = f", {trigger.patience} in a row" if trigger.patience > 1 else ""
        lane.set_title(f"{word} (threshold {trigger.threshold:g}{patience})", loc="left", fontsize=10)
        lane.set(ylim=(0, 1.05), xlim=(trace.began_s, max(trace.ended_s, trace.began_s + CHUNK_S)))
        lane.grid(alpha=0.25)
    lanes[-1].set_xlabel("seconds")
    figure.suptitle(title, fontsize=11)
    try:
        figure.savefig(path, format="png", dpi=110)
    except OSError as error:
        detail = f"{path} cannot be written: {error.strerror}."
        raise AudioError("not_written", detail, mend="Name a file in a folder that you can write.") from error
