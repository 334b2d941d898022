"""Everything that listens, for one configuration."""

from __future__ import annotations

from tools.background import Background
from tools.notify.listening.announcer import Announcer
from tools.notify.listening.gotify_stream import GotifyStream
from tools.notify.listening.inbox import Inbox
from tools.notify.listening.ntfy_stream import NtfyStream
from tools.notify.listening.stream import Listening
from tools.notify.messages import Messages
from tools.settings import ToolSettings


def listeners(settings: ToolSettings, inbox: Inbox, messages: Messages) -> list[Background]:
    """Those that are configured, and what announces; nothing at all where nobody is listened to."""
    wanted, found = settings.announcements, list[Background]()
    if settings.ntfy is not None:
        for topic in dict.fromkeys(wanted.ntfy_topics):
            found.append(Listening(NtfyStream(settings.ntfy, topic, inbox, messages.published)))
    if wanted.gotify and settings.gotify is not None:
        found.append(Listening(GotifyStream(settings.gotify, inbox, messages.published)))
    if found or wanted.webhook_token_file is not None:
        found.append(Announcer(wanted, inbox, messages))
    return found


def listens(settings: ToolSettings) -> bool:
    """Whether what others send is heard at all."""
    wanted = settings.announcements
    return bool(
        (settings.ntfy is not None and wanted.ntfy_topics)
        or (settings.gotify is not None and wanted.gotify)
        or wanted.webhook_token_file is not None
    )
