"""Jarvis: a voice and chat assistant that lives on a home server.

Importing the package switches the telemetry of its dependencies off, before any of them can be imported.
"""

from assistant.telemetry import switch_off

switch_off()
