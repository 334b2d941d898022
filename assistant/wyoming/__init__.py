"""The Wyoming door: our ears, mouth, wake words and brain for Home Assistant and other clients of that protocol.

One TCP server offers all of them; ``server`` accepts, ``session`` answers one client, and each service stands in a
module of its own. ``docs/wyoming.md`` is its page.
"""
