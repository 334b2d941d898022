"""Fuzzing: bytes from anywhere, and what has to hold whatever they are. ``docs/hostile-input.md`` is its page."""
