"""Text in keys: what DynamoDB accepts, byte limits, and digests.

Byte limits are DynamoDB's: 2,048 for a partition key, 1,024 for a sort key
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).
"""

from __future__ import annotations

from hashlib import blake2b
from uuid import UUID

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.tables import Attribute

SEPARATOR = ":::"
"""Separates the parts of a key."""

PARTITION_KEY_LIMIT = 2048
SORT_KEY_LIMIT = 1024
DIGEST_BYTES = 16


def require_text(field: str, value: object) -> str:
    """Check that a value is text that DynamoDB can store, and return it.

    Raises:
        InvalidInputTypeError: It is not a string.
        InvalidInputError: It holds a lone surrogate, which UTF-8 cannot express.
    """
    if not isinstance(value, str):
        raise InvalidInputTypeError(field, f"must be a string, got {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInputError(field, "holds a lone surrogate; pass valid Unicode text") from None
    return value


def require_thread_id(value: object, field: str = Attribute.THREAD_ID) -> str:
    """Check that a value can be a thread id, and return its text.

    An integer or a UUID is converted to text, as LangGraph does. A bool, a float or bytes are
    rejected: their text is rarely what the caller means.

    Raises:
        InvalidInputError: It is missing, empty, of another type or longer than 2,048 bytes.
    """
    if value is None:
        raise InvalidInputError(field, 'is missing; pass {"configurable": {"thread_id": "..."}}')
    thread_id = require_text(field, id_text(field, value))
    if not thread_id:
        raise InvalidInputError(field, "must not be empty; DynamoDB cannot key it")
    require_key_fits(field, thread_id, PARTITION_KEY_LIMIT)
    return thread_id


def id_text(field: str, value: object) -> object:
    """An integer or a UUID as text; anything else unchanged."""
    if not isinstance(value, (int, UUID)) or isinstance(value, bool):
        return value
    try:
        return str(value)
    except ValueError:  # Python converts no integer of more than a few thousand digits.
        raise InvalidInputError(field, "has too many digits; use a shorter one") from None


def fits_index_key(run_id: object) -> bool:
    """Whether a value can be an index's partition key: text of 1 to 2,048 bytes."""
    try:
        size = len(require_text("run_id", run_id).encode())
    except InvalidInputError:
        return False
    return 0 < size <= PARTITION_KEY_LIMIT


def digest_of(parts: tuple[str, ...]) -> str:
    """One digest of several texts. It covers their lengths: "ab", "c" is not "a", "bc"."""
    digest = blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()


def utf8_len(text: str) -> int:
    """Bytes of a text in UTF-8. Lone surrogates count too."""
    return len(text.encode(errors="surrogatepass"))


def require_key_fits(field: str, key: str, limit: int) -> None:
    """Check that a key is within DynamoDB's limit.

    Raises:
        InvalidInputError: It is longer.
    """
    size = utf8_len(key)
    if size > limit:
        raise InvalidInputError(
            field, f"makes a key of {size} bytes, DynamoDB allows {limit}; use a shorter one"
        )
