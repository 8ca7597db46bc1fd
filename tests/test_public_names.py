"""The public names of the package, its errors, and what LangGraph expects of a saver."""

from __future__ import annotations

import inspect
import re
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest

import langgraph_checkpoint_dynamodb as package
from langgraph_checkpoint_dynamodb import DynamoDBSaver, DynamoDBSaverError, errors


def test_the_public_names_are_these() -> None:
    assert sorted(package.__all__) == [
        "CallObserver",
        "CallScope",
        "ConditionFailedError",
        "DeletedBaseError",
        "DeltaHistoryError",
        "DynamoDBSaver",
        "DynamoDBSaverError",
        "EventLoopError",
        "ExportFormatError",
        "InvalidInputError",
        "InvalidInputTypeError",
        "ItemTooLargeError",
        "MissingPartError",
        "MoveReport",
        "ObjectsNotDeletedError",
        "PayloadTooLargeError",
        "ReplyError",
        "RequestInfo",
        "S3OffloadConfig",
        "SaverClosedError",
        "ServiceError",
        "SweepReport",
        "TableError",
        "TableInUseError",
        "TableMismatchError",
        "TableNotFoundError",
        "ThreadConflictError",
        "ThreadIndex",
        "ThreadInfo",
        "ThreadMismatchError",
        "ThreadNotFoundError",
        "ThreadPage",
        "TransactionCanceledError",
        "TransportError",
        "UnprocessedItemsError",
        "UnreadableItemError",
    ]
    for name in package.__all__:
        assert getattr(package, name).__name__ == name


def error_classes() -> dict[str, type[BaseException]]:
    return {
        name: found
        for name, found in vars(errors).items()
        if inspect.isclass(found) and issubclass(found, DynamoDBSaverError)
    }


def test_every_error_is_public() -> None:
    assert error_classes().keys() <= set(package.__all__)


def drawn_tree() -> dict[str, set[str]]:
    """Each error of the tree in the module's docstring, with its base classes there."""
    bases: dict[str, set[str]] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        drawn = re.match(r"    ([\s│]*(?:[├└]── )?)(\w+Error)\b(?: \((\w+)\))?", line)
        if drawn is None:
            continue
        depth, name = len(drawn[1]) // 4, drawn[2]
        path[depth:] = [name]
        bases[name] = {*path[depth - 1 : depth], *([drawn[3]] if drawn[3] else [])}
    return bases


def test_the_error_tree_is_as_its_docstring_draws_it() -> None:
    classes = error_classes()
    real = {name: {base.__name__ for base in found.__bases__} for name, found in classes.items()}
    real["DynamoDBSaverError"] -= {"Exception"}
    assert len(real) == 26
    assert drawn_tree() == real


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(inspect.getfile(package)).parent / "py.typed").is_file()


@pytest.mark.parametrize("name", ["put_writes", "aput_writes"])
def test_the_signature_of_put_writes_shows_that_it_takes_the_task_path(name: str) -> None:
    # LangGraph inspects it to decide whether to pass the path.
    parameter = inspect.signature(getattr(DynamoDBSaver, name)).parameters["task_path"]
    assert parameter.default == ""


def test_a_saver_is_true_and_has_no_length(saver: DynamoDBSaver) -> None:
    # LangGraph has `checkpointer or ...` in places.
    assert not hasattr(DynamoDBSaver, "__len__")
    assert not hasattr(DynamoDBSaver, "__bool__")
    assert bool(saver) is True


def test_versions_grow_in_the_order_of_their_text(saver: DynamoDBSaver) -> None:
    versions = [saver.get_next_version(None, None)]
    for _ in range(300):
        versions.append(saver.get_next_version(versions[-1], None))
    assert all(earlier < later for earlier, later in pairwise(versions))
    assert [int(version.partition(".")[0]) for version in versions] == list(range(1, 302))
    assert all(re.fullmatch(r"\d{32}\..+", version) for version in versions)


def test_two_branches_from_one_version_get_different_ones(saver: DynamoDBSaver) -> None:
    current = saver.get_next_version(None, None)
    assert len({saver.get_next_version(current, None) for _ in range(100)}) == 100


@pytest.mark.parametrize("number", [7, 7.0, 7.25])
def test_a_version_that_is_a_number_is_counted_on_from(saver: DynamoDBSaver, number: float) -> None:
    following = cast("Any", saver.get_next_version(cast("Any", number), None))
    assert int(str(following).partition(".")[0]) == 8
    again = cast("Any", saver.get_next_version(following, None))
    assert int(str(again).partition(".")[0]) == 9
    assert again > following
