"""libsodium's ``crypto_secretstream_xchacha20poly1305``, reading side: pure, on two primitives that are handed in.

The construction is libsodium's, as its documentation and source describe it: a key from HChaCha20 of the stream's key
and the header's first 16 bytes, a counter from 1 and the header's last 8 bytes as nonce; each message is its encrypted
tag byte, its encrypted text, and a Poly1305 tag over both.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass

OVERHEAD_BYTES = 17
HEADER_BYTES = 24
FINAL, REKEY = 0x03, 0x02
_WORD = 0xFFFFFFFF


class WrongTagError(Exception):
    """A message that nobody with the key wrote, or that was changed."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """``chacha20(key, nonce of 12 bytes, first block's number, text)`` and ``poly1305(key, text)``."""

    chacha20: Callable[[bytes, bytes, int, bytes], bytes]
    poly1305: Callable[[bytes, bytes], bytes]


class SecretStream:
    """The state of a stream that is read: ``key`` of 32 bytes, ``header`` of 24."""

    def __init__(self, secrets: Secrets, key: bytes, header: bytes) -> None:
        self._secrets = secrets
        self._key = hchacha20(key, header[:16])
        self._inner = header[16:HEADER_BYTES]
        self._counter = 1

    def pull(self, message: bytes) -> tuple[bytes, bool]:
        """The plain text of the next message, and whether it is the last. Raises WrongTagError."""
        if len(message) < OVERHEAD_BYTES:
            raise WrongTagError
        sealed, text, tag = message[:1], message[1:-16], message[-16:]
        nonce = struct.pack("<I", self._counter) + self._inner
        one_time = self._secrets.chacha20(self._key, nonce, 0, bytes(64))[:32]
        block = self._secrets.chacha20(self._key, nonce, 1, sealed + bytes(63))
        kind = block[0]
        signed = sealed + block[1:] + text + bytes((16 - 64 + len(text)) & 0xF) + struct.pack("<QQ", 0, 64 + len(text))
        made = self._secrets.poly1305(one_time, signed)
        if not hmac.compare_digest(made, tag):
            raise WrongTagError
        plain = self._secrets.chacha20(self._key, nonce, 2, text)
        self._inner = bytes(a ^ b for a, b in zip(self._inner, made[:8], strict=True))
        self._counter = (self._counter + 1) & _WORD
        if kind & REKEY or not self._counter:
            self._rekey()
        return plain, kind == FINAL

    def _rekey(self) -> None:
        nonce = struct.pack("<I", self._counter) + self._inner
        made = self._secrets.chacha20(self._key, nonce, 0, self._key + self._inner)
        self._key, self._inner, self._counter = made[:32], made[32:40], 1


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """HChaCha20: a key of 32 bytes from one of 32 and a nonce of 16 (draft-irtf-cfrg-xchacha, 2.2)."""
    words = [*struct.unpack("<4I", b"expand 32-byte k"), *struct.unpack("<8I", key), *struct.unpack("<4I", nonce)]
    for _ in range(10):
        for a, b, c, d in _COLUMNS:
            _quarter(words, a, b, c, d)
    return struct.pack("<8I", *words[:4], *words[12:])


_COLUMNS = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip


def _quarter(words: list[int], a: int, b: int, c: int, d: int) -> None:
    for first, second, third, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        words[first] = (words[first] + words[second]) & _WORD
        mixed = words[third] ^ words[first]
        words[third] = ((mixed << turn) | (mixed >> (32 - turn))) & _WORD
