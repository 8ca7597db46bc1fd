"""The names of the tables to restore and of the restored tables."""

from __future__ import annotations

from dataclasses import dataclass

from langgraph_checkpoint_dynamodb.recovery.errors import RecoveryError

_MAX_NAME_LENGTH = 255


@dataclass(frozen=True)
class Tables:
    """Names of tables that belong together.

    Attributes:
        checkpoints: The table of checkpoints.
        writes: The table of pending writes.
        store: The table of a store, `None` if it is not restored.
    """

    checkpoints: str
    writes: str
    store: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all tables, without the store's if it is not restored."""
        saver_tables = (self.checkpoints, self.writes)
        return saver_tables if self.store is None else (*saver_tables, self.store)

    def with_suffix(self, suffix: str) -> Tables:
        """The names with a suffix.

        Raises:
            RecoveryError: The suffix is empty, or a name becomes longer than DynamoDB allows.
        """
        names = [f"{name}{suffix}" for name in self.names]
        if not suffix or any(len(name) > _MAX_NAME_LENGTH for name in names):
            raise RecoveryError(
                f"--suffix {suffix!r} makes no valid names of new tables: pass one that is not "
                f"empty and keeps each name within {_MAX_NAME_LENGTH} characters"
            )
        return Tables(*names)
