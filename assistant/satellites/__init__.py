"""Satellites: microphones and loudspeakers in rooms that speak Wyoming, as ``wyoming-satellite`` does.

A satellite listens on the network and Jarvis connects to it (the protocol wants it so). Each one runs by itself
(``satellite.py``): a connection (``link.py``), ears of its own (``room_ears.py``), a loudspeaker (``player.py``) and
the same talk as at the microphone (``assistant.talk``). ``satellites.py`` holds all of them; ``loudest.py`` decides
which room answers when several hear the same phrase. ``docs/satellites.md`` is its page.
"""
