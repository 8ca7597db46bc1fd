"""Texts that DynamoDB can key: what they may hold, how long they may be, and their digests.

Byte limits are DynamoDB's: 2,048 for a partition key, 1,024 for a sort key
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).
"""

from __future__ import annotations

from hashlib import blake2b
from uuid import UUID

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.tables import Attribute

SEPARATOR = ":::"
"""Stands between the parts of a key."""

PARTITION_KEY_LIMIT = 2048
SORT_KEY_LIMIT = 1024
_DIGEST_BYTES = 16


def require_text(field: str, value: object) -> str:
    """The value, if it is text that DynamoDB can store.

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
    """The thread id, if it can be a partition key.

    An integer or a UUID stands for its text, as it does where LangGraph runs a graph. A bool, a
    float or bytes do not: their text is seldom what was meant.

    Raises:
        InvalidInputError: It is missing, empty, of another type or longer than 2,048 bytes.
    """
    if value is None:
        raise InvalidInputError(field, 'is missing; pass {"configurable": {"thread_id": "..."}}')
    thread_id = require_text(field, text_of(field, value))
    if not thread_id:
        raise InvalidInputError(field, "must not be empty; DynamoDB cannot key it")
    require_fits(field, thread_id, PARTITION_KEY_LIMIT)
    return thread_id


def text_of(field: str, value: object) -> object:
    """The text of an integer or a UUID; anything else as it is."""
    if not isinstance(value, (int, UUID)) or isinstance(value, bool):
        return value
    try:
        return str(value)
    except ValueError:  # Python writes no integer of more than some thousand digits.
        raise InvalidInputError(field, "has too many digits; use a shorter one") from None


def fits_index_key(run_id: object) -> bool:
    """Whether a run id can be the key of the run index: a non-empty text of 2,048 bytes."""
    try:
        size = len(require_text("run_id", run_id).encode())
    except InvalidInputError:
        return False
    return 0 < size <= PARTITION_KEY_LIMIT


def digest_of(parts: tuple[str, ...]) -> str:
    """One digest of several texts, none of which can run into the next."""
    digest = blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()


def utf8_len(text: str) -> int:
    """Bytes of a text in UTF-8, lone surrogates among it."""
    return len(text.encode(errors="surrogatepass"))


def require_fits(field: str, key: str, limit: int) -> None:
    """Check that a key is within DynamoDB's limit.

    Raises:
        InvalidInputError: It is not.
    """
    size = utf8_len(key)
    if size > limit:
        raise InvalidInputError(
            field, f"makes a key of {size} bytes, DynamoDB allows {limit}; use a shorter one"
        )
