"""Bounds of numbers in stored items.

DynamoDB stores numbers of up to 126 digits, and items may be forged. A number out of bounds is
rejected before anything is computed or allocated with it.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

MAX_EPOCH_SECONDS = 10**15
"""Seconds since the epoch: beyond any date, even of a clock that counts milliseconds."""
MAX_STORED_BYTES = 2**35
"""Bytes of a stored value, 32 GiB: more than any serializer returns."""
MAX_UNPACKED_BYTES = 2**63
"""Limit of the unpacked size in a description. Unpacking has a ceiling of its own."""
MAX_CHUNKS = 100_000
"""Chunks of a value. That many chunks of 400,000 bytes hold more than `MAX_STORED_BYTES`."""
_ALWAYS_ALLOWED_CHUNKS = 10_000
"""Chunks that a value may have whatever their size."""
_MIN_BYTES_PER_CHUNK = 10_000
"""Least average bytes per chunk, if there are more chunks than that."""
_MAX_CHARACTERS = 200
"""Characters of a number: 126 digits, a sign, a point, and a reserve."""


def parse_seconds(text: str) -> int | None:
    """The seconds in a number's text, without its fraction; `None` if it is no number in bounds."""
    number = _parse_between(text, MAX_EPOCH_SECONDS)
    return None if number is None else int(number)


def parse_whole_number(text: str, most: int) -> int | None:
    """The whole number from 0 to `most` in a number's text; `None` if it is not one."""
    number = _parse_between(text, most)
    return int(number) if number is not None and number == int(number) else None


def max_chunks(size: int) -> int:
    """Most chunks of a value of `size` bytes."""
    return min(size, MAX_CHUNKS, max(_ALWAYS_ALLOWED_CHUNKS, size // _MIN_BYTES_PER_CHUNK))


def _parse_between(text: str, most: int) -> Decimal | None:
    if len(text) > _MAX_CHARACTERS:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number <= most else None
