"""Tables for experiments: calls that are stopped after each of their requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.stop_experiment import Experiment
from tests.support.stopping import NOW, WHOLE, Portions
from tests.support.tables import with_payloads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.buckets import Bucket
    from tests.support.savers import Saver
    from tests.support.stored import Seen
    from tests.support.tables import Tables

    Act = Callable[[Saver], object]


def is_old_or_new(found: Seen, experiment: Experiment) -> bool:
    """Whether each checkpoint is exactly its old or exactly its new version."""
    keys = found.keys() | experiment.before.keys() | experiment.after.keys()
    return all(
        found.get(key) in (experiment.before.get(key), experiment.after.get(key)) for key in keys
    )


def check(experiment: Experiment) -> None:
    for found in experiment.stops():
        assert is_old_or_new(found, experiment)


@dataclass(frozen=True)
class Large:
    """A way to store values outside their items, with its own tables."""

    tables: Tables
    payloads: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    bucket: Bucket | None = None
    portions: Portions = WHOLE

    def saver(self, **settings: Any) -> Saver:
        settings = {"clock": lambda: NOW, **self.settings, **settings}
        return with_payloads(self.tables.saver(**settings), **self.payloads)

    def prepare(self, *acts: Act, **settings: Any) -> None:
        """Make calls that are not interrupted."""
        with self.saver(**settings) as saver:
            for act in acts:
                act(saver)

    def experiment(self, act: Act, **settings: Any) -> Experiment:
        settings = {**self.settings, **settings}
        return Experiment(self.tables, act, settings, self.portions, self.payloads, self.bucket)
