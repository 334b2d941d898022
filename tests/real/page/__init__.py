"""The web page in a real browser, in front of a real ``jarvis serve`` with the demo homelab behind it."""
