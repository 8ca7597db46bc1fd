"""Packing bytes: gzip from the standard library, Zstandard where there is one.

Zstandard is `compression.zstd` from Python 3.14 on, and the package `backports.zstd` (the extra
`[zstd]`) before. It is imported where it is used, so that reading anything else never needs it.

The levels are the tools' own defaults. `make compression` measures them: a higher one saves little
on text and costs a multiple of the time.
"""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from types import ModuleType

Codec: TypeAlias = Literal["gzip", "zstd"]

CODECS: tuple[Codec, ...] = get_args(Codec)
GZIP_LEVEL = 6
ZSTD_LEVEL = 3
LEAST_BASE = 8
"""Bytes that a difference can be made from, at least."""
_LEAST_WINDOW = 10
_WINDOW = 27
"""Bounds of the window of a difference, as a power of two: the least there is, and the most that
every decoder takes. It spans a base and a value of 64 MiB each."""
_GZIP_FRAME = 31
"""zlib's name for a gzip header and trailer around the largest window."""


class DecompressionError(Exception):
    """Bytes are not what was packed. The message says why, without any of them."""


class MissingCodecError(Exception):
    """A codec is not installed. The message says what to install."""


def require_codec(codec: Codec) -> None:
    """Check that a codec is installed.

    Raises:
        MissingCodecError: It is not.
    """
    if codec == "zstd":
        _zstd()


def compress(codec: Codec, data: bytes) -> bytes:
    """Pack bytes. The same bytes always give the same result with the same library."""
    if codec == "gzip":
        # No file name and no time in the header, unlike gzip.compress before Python 3.11.
        packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP_FRAME)
        return packer.compress(data) + packer.flush()
    zstd = _zstd()
    parameter = zstd.CompressionParameter
    packed: bytes = zstd.compress(
        data, options={parameter.compression_level: ZSTD_LEVEL, parameter.checksum_flag: 1}
    )
    return packed


def difference(base: bytes, data: bytes) -> bytes:
    """Pack bytes as their difference from others, with Zstandard.

    The base is a prefix, not a digested dictionary, and long matches are looked for. Only so does a
    change of 1 % in 4 MB take 21 KB and not 1.6 MB, in 8 ms and not 68 (`make compression`).
    """
    zstd = _zstd()
    parameter = zstd.CompressionParameter
    options = {
        parameter.compression_level: ZSTD_LEVEL,
        parameter.checksum_flag: 1,
        parameter.enable_long_distance_matching: 1,
        parameter.window_log: min(
            max((len(base) + len(data) - 1).bit_length(), _LEAST_WINDOW), _WINDOW
        ),
    }
    prefix = zstd.ZstdDict(base, is_raw=True).as_prefix
    packed: bytes = zstd.compress(data, options=options, zstd_dict=prefix)
    return packed


def decompress(codec: str, data: bytes, size: int, base: bytes | None = None) -> bytes:
    """Unpack bytes that are known to unpack to `size` bytes, and never to more.

    Args:
        codec: What they were packed with.
        data: The bytes.
        size: How many they were before.
        base: What they are the difference from, if they are one.

    Raises:
        DecompressionError: They do not, or the codec is unknown.
        MissingCodecError: The codec is not installed.
    """
    if codec not in CODECS:
        raise DecompressionError(f"is packed with {codec!r}; known are {', '.join(CODECS)}")
    if base is not None and (codec != "zstd" or len(base) < LEAST_BASE):
        raise DecompressionError("is the difference from what no difference can be made from")
    if codec == "gzip":
        unpacker: Any = zlib.decompressobj(_GZIP_FRAME)
        broken: type[Exception] = zlib.error
    else:
        zstd = _zstd()
        known = [] if base is None else [zstd.ZstdDict(base, is_raw=True).as_prefix]
        unpacker, broken = zstd.ZstdDecompressor(*known), zstd.ZstdError
    try:
        # One byte more than there may be: the end of the frame is seen, a bomb is not unpacked.
        unpacked: bytes = unpacker.decompress(data, size + 1)
    except broken:
        raise DecompressionError(f"is no valid {codec} data") from None
    if len(unpacked) != size or not unpacker.eof or unpacker.unused_data:
        raise DecompressionError(f"does not unpack to the {size} bytes that were packed")
    return unpacked


def _zstd() -> ModuleType:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError as error:
        raise MissingCodecError(
            "zstd needs Python 3.14 or: pip install 'backports.zstd>=1.0'"
        ) from error
    return zstd
