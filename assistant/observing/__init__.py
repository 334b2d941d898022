"""What can be seen of Jarvis from outside: metrics, structured logs, traces, a heartbeat, and recordings to debug with.

Everything here reads the turn's event stream and public counters, changes nothing, and shows no content: labels and log
fields come from lists that the code or the configuration closes. ``docs/observability.md`` is its page.
"""
