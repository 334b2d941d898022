"""All push services that are configured, each tried for itself until it took the message."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tools.notify.gotify import Gotify
from tools.notify.messages import Message, Messages
from tools.notify.ntfy import Ntfy
from tools.notify.port import Outgoing, Push, PushError
from tools.notify.published import Published
from tools.settings import ToolSettings


def push_services(settings: ToolSettings) -> tuple[Push, ...]:
    """Those that are configured."""
    found: list[Push] = []
    if settings.ntfy is not None:
        found.append(Ntfy(settings.ntfy))
    if settings.gotify is not None:
        found.append(Gotify(settings.gotify))
    return tuple(found)


def can_push(settings: ToolSettings) -> bool:
    """Whether there is any."""
    return settings.ntfy is not None or settings.gotify is not None


async def deliver(services: Sequence[Push], messages: Messages) -> int:
    """Try everything that is due; how many deliveries there were. Raises StoreError."""
    counts = await asyncio.gather(*(_deliver(service, messages) for service in services))
    await asyncio.to_thread(messages.settle, [service.name for service in services])
    return sum(counts)


async def deliver_one(service: Push, messages: Messages, message: Message) -> PushError | None:
    """One message that was taken for this service; why not, if not. Raises StoreError."""
    sending = Outgoing(title=message.title, text=message.text, priority=message.priority, tags=message.tags)
    try:
        await send(service, messages.published, sending)
    except PushError as error:
        await asyncio.to_thread(messages.not_pushed, message.id, service.name, str(error), again=error.again)
        return error
    await asyncio.to_thread(messages.pushed, message.id, service.name)
    return None


async def send(service: Push, published: Published, message: Outgoing) -> None:
    """Send it, and know it again when it comes back on a topic that is listened to. Raises PushError, StoreError.

    An answer that never came may have been a yes: the words are kept then.
    """
    words = await asyncio.to_thread(published.sending, service.name, message.title, message.text)
    try:
        remote = await service.push(message)
    except PushError as error:
        if not error.again:
            await asyncio.to_thread(published.not_sent, service.name, words)
        raise
    await asyncio.to_thread(published.sent, service.name, words, remote)


async def _deliver(service: Push, messages: Messages) -> int:
    """Oldest first. After a failure that is the server's the others wait for their own turn: it would fail for them
    as well."""
    delivered = 0
    for message in await asyncio.to_thread(messages.due, service.name):
        if not await asyncio.to_thread(messages.take, message, service.name):
            continue
        failed = await deliver_one(service, messages, message)
        if failed is None:
            delivered += 1
        elif failed.again:
            break
    return delivered
