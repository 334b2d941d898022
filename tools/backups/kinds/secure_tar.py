"""The encrypted inner archives of Home Assistant's backups: SecureTar 1, 2 and 3, read; 2 written.

Format, from the package ``securetar``: versions 2 and 3 begin with ``SecureTar``, a byte of version, 6 zeroes, the size
of the plain text (8 bytes, big-endian) and 8 bytes to come. Version 2 goes on with a salt of 16 bytes and AES-128-CBC
with PKCS #7; version 1 is the same without all before the salt. Version 3 goes on with five fields (``_V3``) and
libsodium's secretstream in pieces of 1 MiB, which also proves that nothing was changed; 1 and 2 do not.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from tools.backups.kinds.secret_stream import OVERHEAD_BYTES, Secrets, SecretStream, WrongTagError
from tools.backups.port import BackupError, Fault

MAGIC = b"SecureTar"
PIECE_BYTES = 1 << 20
_ROUNDS = 100
_HEADER = struct.Struct("!9sB6sQ8x")
_V3 = struct.Struct("!16s16s32s16s24s")
"""Salt of the password's key (Argon2id), salt and key by which the password is known, salt of the stream's key, and
the stream's header."""

_OPSLIMIT, _MEMLIMIT_KIB = 8, 16 * 1024
_PERSON = b"SecureTarv3"


def is_plain(start: bytes) -> bool:
    """Whether a file with this beginning (512 bytes) is a tar or gzip, so not encrypted."""
    return start[:3] == b"\x1f\x8b\x08" or start[257:262] == b"ustar"


def decrypt(source: IO[bytes], size: int, target: Path, password: str, *, limit: int) -> None:
    """Write the plain archive that ``source`` holds in its ``size`` bytes.

    Raises BackupError: wrong_password, truncated, damaged, nonsense (more than ``limit`` bytes), not_installed;
    OSError of the files.
    """
    if size > limit:
        raise BackupError(Fault.NONSENSE, "an archive in it is larger than it may be")
    first = _exactly(source, 16)
    if first[:9] != MAGIC:
        _decrypt_cbc(source, size - 16, None, first, target, password)
        return
    _, version, reserved, plain_size = _HEADER.unpack(first + _exactly(source, 16))
    if version == 2 and not any(reserved):
        salt = _exactly(source, 16)
        _decrypt_cbc(source, size - 48, plain_size, salt, target, password)
    elif version == 3 and not any(reserved):
        fields = _V3.unpack(_exactly(source, _V3.size))
        _decrypt_stream(source, size - 32 - _V3.size, plain_size, fields, target, password)
    else:
        raise BackupError(Fault.NOT_INSTALLED, f"it is encrypted in a form not known here (SecureTar {version})")


def opens(source: IO[bytes], password: str) -> bool:
    """Whether a password is that of an encrypted archive, by its beginning. Raises BackupError, OSError."""
    first = _exactly(source, 16)
    salt, version = first, 1
    if first[:9] == MAGIC:
        _, version, _, _ = _HEADER.unpack(first + _exactly(source, 16))
        if version == 3:
            root_salt, known_salt, known, _, _ = _V3.unpack(_exactly(source, _V3.size))
            return hmac.compare_digest(_derived(_argon(password, root_salt), known_salt), known)
        salt = _exactly(source, 16)
    ciphers = _ciphers()
    key, iv = cbc_key(password, salt)
    start = source.read(512)
    decryptor = ciphers.Cipher(ciphers.algorithms.AES(key), ciphers.modes.CBC(iv)).decryptor()
    return is_plain(decryptor.update(start[: len(start) // 16 * 16]))


def encrypt(plain: Path, target: IO[bytes], password: str) -> int:
    """Version 2, which every Home Assistant that encrypts can read; the bytes written."""
    ciphers = _ciphers()
    salt = os.urandom(16)
    key, iv = cbc_key(password, salt)
    size = plain.stat().st_size
    written = target.write(_HEADER.pack(MAGIC, 2, bytes(6), size) + salt)
    encryptor = ciphers.Cipher(ciphers.algorithms.AES(key), ciphers.modes.CBC(iv)).encryptor()
    with plain.open("rb") as file:
        while block := file.read(PIECE_BYTES):
            if len(block) < PIECE_BYTES:
                break
            written += target.write(encryptor.update(block))
        padding = 16 - len(block) % 16
        written += target.write(encryptor.update(block + bytes([padding]) * padding) + encryptor.finalize())
    return written


def cbc_key(password: str, salt: bytes) -> tuple[bytes, bytes]:
    """Key and initialization vector of versions 1 and 2: SHA-256 a hundred times, cut to 16 bytes each."""
    key = _hashed(password.encode())[:16]
    return key, _hashed(key + salt)[:16]


def _hashed(text: bytes) -> bytes:
    for _ in range(_ROUNDS):
        text = hashlib.sha256(text).digest()
    return text


def _decrypt_cbc(
    source: IO[bytes], size: int, plain_size: int | None, salt: bytes, target: Path, password: str
) -> None:
    if size <= 0 or size % 16:
        raise BackupError(Fault.TRUNCATED, "an encrypted archive in it is cut off")
    ciphers = _ciphers()
    key, iv = cbc_key(password, salt)
    decryptor = ciphers.Cipher(ciphers.algorithms.AES(key), ciphers.modes.CBC(iv)).decryptor()
    with target.open("xb") as file:
        checked, left, last = False, size, b""
        while left:
            block = decryptor.update(_exactly(source, min(left, PIECE_BYTES)))
            left -= min(left, PIECE_BYTES)
            if not checked and not is_plain(block[:512]):
                raise BackupError(Fault.WRONG_PASSWORD, "the password is wrong, or the archive is damaged")
            checked = True
            file.write(last)
            last = block
        padding = last[-1]
        if not 1 <= padding <= 16 or last[-padding:] != bytes([padding]) * padding:
            raise BackupError(Fault.DAMAGED, "an encrypted archive in it is damaged")
        file.write(last[:-padding])
        if plain_size is not None and file.tell() != plain_size:
            raise BackupError(Fault.DAMAGED, "an encrypted archive in it is not of the size that it says")


def _decrypt_stream(
    source: IO[bytes], size: int, plain_size: int, fields: tuple[bytes, ...], target: Path, password: str
) -> None:
    root_salt, known_salt, known, stream_salt, header = fields
    root = _argon(password, root_salt)
    if not hmac.compare_digest(_derived(root, known_salt), known):
        raise BackupError(Fault.WRONG_PASSWORD, "the password is wrong")
    stream = SecretStream(_secrets(), _derived(root, stream_salt), header)
    with target.open("xb") as file:
        left, ended = size, False
        while left:
            piece = _exactly(source, min(left, PIECE_BYTES + OVERHEAD_BYTES))
            left -= len(piece)
            try:
                plain, ended = stream.pull(piece)
            except WrongTagError as error:
                raise BackupError(Fault.DAMAGED, "an encrypted archive in it is damaged") from error
            if ended and left:
                raise BackupError(Fault.DAMAGED, "an encrypted archive in it goes on after its end")
            file.write(plain)
        if not ended or file.tell() != plain_size:
            raise BackupError(Fault.TRUNCATED, "an encrypted archive in it is cut off")


def _derived(root: bytes, salt: bytes) -> bytes:
    return hashlib.blake2b(b"", key=root, salt=salt, person=_PERSON, digest_size=32).digest()


@lru_cache(maxsize=4)
def _argon(password: str, salt: bytes) -> bytes:
    """One key for all archives of a backup; it takes some hundredths of a second to make."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
    except ImportError as error:
        raise _no_cryptography() from error
    try:
        made = Argon2id(salt=salt, length=32, iterations=_OPSLIMIT, lanes=1, memory_cost=_MEMLIMIT_KIB)
        return bytes(made.derive(password.encode()))
    except UnsupportedAlgorithm as error:
        raise BackupError(Fault.NOT_INSTALLED, "the OpenSSL here is too old for Argon2id (3.2 is needed)") from error


def _secrets() -> Secrets:
    """The two primitives of the secretstream, from OpenSSL."""
    ciphers = _ciphers()
    from cryptography.hazmat.primitives.poly1305 import Poly1305

    def chacha20(key: bytes, nonce: bytes, counter: int, text: bytes) -> bytes:
        algorithm = ciphers.algorithms.ChaCha20(key, struct.pack("<I", counter) + nonce)
        return bytes(ciphers.Cipher(algorithm, mode=None).encryptor().update(text))

    def poly1305(key: bytes, text: bytes) -> bytes:
        return Poly1305.generate_tag(key, text)

    return Secrets(chacha20, poly1305)


def _ciphers() -> Any:
    """``cryptography``'s ciphers. It comes with other packages, and is asked for only where something is encrypted."""
    try:
        from cryptography.hazmat.primitives import ciphers
    except ImportError as error:
        raise _no_cryptography() from error
    return ciphers


def _no_cryptography() -> BackupError:
    return BackupError(Fault.NOT_INSTALLED, "it is encrypted, and the Python package cryptography is not installed")


def _exactly(source: IO[bytes], size: int) -> bytes:
    found = source.read(size)
    if len(found) < size:
        raise BackupError(Fault.TRUNCATED, "an encrypted archive in it is cut off")
    return found
