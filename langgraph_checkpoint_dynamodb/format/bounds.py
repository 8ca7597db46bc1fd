"""Numbers of stored items, read within bounds.

DynamoDB stores numbers of up to 126 digits, and a row may be anybody's. A number that is out of
bounds is none: nothing is reckoned with it, and nothing built by it.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

LATEST = 10**15
"""Seconds since the epoch: far beyond any date, be it of a clock that counts milliseconds."""
MOST_BYTES = 2**35
"""Bytes of a value, 32 GiB: more than any serializer here makes."""
MOST_UNPACKED = 2**63
"""Bytes that a value may say it unpacks to. Whoever unpacks it has a ceiling of his own."""
MOST_CHUNKS = 100_000
"""Chunks of a value. Those of 400,000 bytes hold more than `MOST_BYTES`."""
_FEW_CHUNKS = 10_000
"""Chunks that a value may have, however small they are."""
_SMALL_CHUNK = 10_000
"""Bytes in each chunk, at least, where there are more of them."""
_LONGEST = 200
"""Characters of a number in full: 126 digits, a sign and a point, and some to spare."""


def seconds(text: str) -> int | None:
    """A time in a number's text, without its fraction; `None` where it is none."""
    number = _between(text, LATEST)
    return None if number is None else int(number)


def whole(text: str, most: int) -> int | None:
    """A whole number in a number's text, from 0 to `most`; `None` where it is none."""
    number = _between(text, most)
    return int(number) if number is not None and number == int(number) else None


def most_chunks(size: int) -> int:
    """How many chunks a value of so many bytes may have."""
    return min(size, MOST_CHUNKS, max(_FEW_CHUNKS, size // _SMALL_CHUNK))


def _between(text: str, most: int) -> Decimal | None:
    if len(text) > _LONGEST:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number <= most else None
