"""Jarvis as a service of the machine: units of systemd, an agent of launchd, and what they may do."""
