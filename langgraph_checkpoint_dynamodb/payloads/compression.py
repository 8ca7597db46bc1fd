"""Compression: gzip from the standard library, and Zstandard where it is installed.

Zstandard is `compression.zstd` from Python 3.14 on, and the package `backports.zstd` (the extra
`[zstd]`) before. It is imported on first use, so that reading anything else never needs it.

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
MIN_BASE_BYTES = 8
"""Smallest base. Zstandard takes no shorter dictionary."""
_MIN_WINDOW_LOG = 10
_MAX_WINDOW_LOG = 27
"""Bounds of a difference's window, as powers of two: Zstandard's minimum, and the most that every
decoder accepts. 2**27 spans a base and a value of 64 MiB each."""
_GZIP_WBITS = 31
"""The `wbits` of zlib for the largest window with a gzip header and trailer."""


class DecompressionError(Exception):
    """Bytes are not what was packed. The message says why, and holds none of the bytes."""


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
    """Compress bytes. With the same library, the same bytes always give the same result."""
    if codec == "gzip":
        # No file name and no time in the header, unlike gzip.compress before Python 3.11.
        packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP_WBITS)
        return packer.compress(data) + packer.flush()
    zstd = _zstd()
    parameter = zstd.CompressionParameter
    packed: bytes = zstd.compress(
        data, options={parameter.compression_level: ZSTD_LEVEL, parameter.checksum_flag: 1}
    )
    return packed


def difference(base: bytes, data: bytes) -> bytes:
    """Compress bytes as their difference from a base, with Zstandard.

    The base is a prefix, not a digested dictionary, and long-distance matching is on. With both, a
    change of 1 % in 4 MB takes 21 KB and 8 ms, without them 1.6 MB and 68 ms (`make compression`).
    """
    zstd = _zstd()
    parameter = zstd.CompressionParameter
    options = {
        parameter.compression_level: ZSTD_LEVEL,
        parameter.checksum_flag: 1,
        parameter.enable_long_distance_matching: 1,
        parameter.window_log: min(
            max((len(base) + len(data) - 1).bit_length(), _MIN_WINDOW_LOG), _MAX_WINDOW_LOG
        ),
    }
    prefix = zstd.ZstdDict(base, is_raw=True).as_prefix
    packed: bytes = zstd.compress(data, options=options, zstd_dict=prefix)
    return packed


def decompress(codec: str, data: bytes, size: int, base: bytes | None = None) -> bytes:
    """Unpack bytes to exactly `size` bytes, and never to more.

    Args:
        codec: The codec they were packed with.
        data: The packed bytes.
        size: How many bytes there were before packing.
        base: The bytes of the base, if `data` is a difference.

    Raises:
        DecompressionError: They do not unpack to that, or the codec is unknown.
        MissingCodecError: The codec is not installed.
    """
    if codec not in CODECS:
        raise DecompressionError(f"is packed with {codec!r}; known are {', '.join(CODECS)}")
    if base is not None and (codec != "zstd" or len(base) < MIN_BASE_BYTES):
        raise DecompressionError("is a difference from a base that no difference can be made from")
    if codec == "gzip":
        unpacker: Any = zlib.decompressobj(_GZIP_WBITS)
        broken: type[Exception] = zlib.error
    else:
        zstd = _zstd()
        known = [] if base is None else [zstd.ZstdDict(base, is_raw=True).as_prefix]
        unpacker, broken = zstd.ZstdDecompressor(*known), zstd.ZstdError
    try:
        # One byte over the limit: enough to reach the end of the frame, too little for a bomb.
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
