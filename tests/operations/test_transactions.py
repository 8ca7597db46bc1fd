"""Puts that are stored together or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from langgraph_checkpoint_dynamodb.errors import ServiceError, TransactionCanceledError
from langgraph_checkpoint_dynamodb.requests.calls import ATTEMPTS, Outcome, put_skipping_existing
from langgraph_checkpoint_dynamodb.requests.items import Put, PutItem, TransactPut
from langgraph_checkpoint_dynamodb.requests.operations import Backoff, Request
from tests.operations.examples import put, service_error, transaction_canceled
from tests.operations.stepping import refuse_for_ever, result_of

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem


def test_more_writes_than_a_transaction_holds_go_in_several_one_after_the_other() -> None:
    puts = [put(number, unless_exists=True) for number in range(201)]
    operation = put_skipping_existing(puts)
    assert next(operation) == TransactPut(tuple(puts[:100]))
    assert operation.send(None) == TransactPut(tuple(puts[100:200]))
    assert operation.send(None) == PutItem(puts[200])
    assert result_of(operation, None) == Outcome()


def test_items_of_more_than_four_megabytes_go_in_several_transactions() -> None:
    puts = [
        replace(put(number), item={**put(number).item, "value": {"B": bytes(390_000)}})
        for number in range(12)
    ]
    operation = put_skipping_existing(puts)
    assert next(operation) == TransactPut(tuple(puts[:10]))
    assert operation.send(None) == TransactPut(tuple(puts[10:]))
    assert result_of(operation, None) == Outcome()


def test_what_a_single_put_has_replaced_is_told() -> None:
    operation = put_skipping_existing([put(0)])
    next(operation)
    there = cast("StoredItem", put(0).item)
    assert result_of(operation, there) == Outcome(replaced=(there,))


def test_a_write_that_is_there_already_ends_its_put_in_silence() -> None:
    operation = put_skipping_existing([put(0, unless_exists=True)])
    next(operation)
    with pytest.raises(StopIteration) as stop:
        operation.throw(service_error("ConditionalCheckFailedException"))
    assert stop.value.value == Outcome(lost=(put(0, unless_exists=True),))


def test_writes_that_are_there_already_are_left_out_and_the_rest_is_sent_at_once() -> None:
    first, second, third = (put(number, unless_exists=True) for number in range(3))
    operation = put_skipping_existing([first, second, third])
    assert next(operation) == TransactPut((first, second, third))
    error = transaction_canceled("None", "ConditionalCheckFailed", "None")
    assert operation.throw(error) == TransactPut((first, third))
    assert result_of(operation, None) == Outcome(lost=(second,))


def test_a_transaction_whose_writes_are_all_there_already_is_not_repeated() -> None:
    puts = (put(0, unless_exists=True), put(1, unless_exists=True))
    operation = put_skipping_existing(puts)
    next(operation)
    with pytest.raises(StopIteration) as stop:
        operation.throw(transaction_canceled("ConditionalCheckFailed", "ConditionalCheckFailed"))
    assert stop.value.value == Outcome(lost=puts)


def test_a_conflict_with_another_transaction_waits_and_sends_what_is_left() -> None:
    first, second = put(0, unless_exists=True), put(1)
    operation = put_skipping_existing([first, second])
    next(operation)
    assert operation.throw(transaction_canceled("None", "TransactionConflict")) == Backoff(0.05)
    assert operation.send(None) == TransactPut((first, second))
    error = transaction_canceled("ConditionalCheckFailed", "TransactionConflict")
    assert operation.throw(error) == Backoff(0.1)
    assert operation.send(None) == TransactPut((second,))
    assert result_of(operation, None) == Outcome(lost=(first,))


def test_a_write_found_there_already_after_many_conflicts_does_not_stop_the_others() -> None:
    first, second = put(0, unless_exists=True), put(1)
    operation = put_skipping_existing([first, second])
    for _ in range(ATTEMPTS - 1):
        assert next(operation) == TransactPut((first, second))
        assert isinstance(
            operation.throw(transaction_canceled("None", "TransactionConflict")), Backoff
        )
    assert next(operation) == TransactPut((first, second))
    assert operation.throw(transaction_canceled("ConditionalCheckFailed", "None")) == TransactPut(
        (second,)
    )
    assert result_of(operation, None) == Outcome(lost=(first,))


@pytest.mark.parametrize(
    "reasons",
    [
        ("ValidationError", "None"),
        ("ItemCollectionSizeLimitExceeded", "ItemCollectionSizeLimitExceeded"),
        ("ConditionalCheckFailed",),
        (),
    ],
    ids=["final", "unknown", "too few", "none at all"],
)
def test_a_transaction_cancelled_for_another_reason_is_an_error(reasons: tuple[str, ...]) -> None:
    operation = put_skipping_existing([put(0, unless_exists=True), put(1)])
    next(operation)
    error = transaction_canceled(*reasons)
    with pytest.raises(TransactionCanceledError) as raised:
        operation.throw(error)
    assert raised.value is error


def test_a_single_put_in_conflict_with_a_transaction_waits_and_is_sent_again() -> None:
    operation = put_skipping_existing([put(0)])
    assert next(operation) == PutItem(put(0))
    assert operation.throw(service_error("TransactionConflictException")) == Backoff(0.05)
    assert operation.send(None) == PutItem(put(0))
    assert result_of(operation, None) == Outcome()


def test_a_single_put_that_the_service_refuses_is_an_error() -> None:
    operation = put_skipping_existing([put(0)])
    next(operation)
    with pytest.raises(ServiceError, match="AccessDeniedException"):
        operation.throw(service_error("AccessDeniedException"))


@pytest.mark.parametrize(
    ("puts", "error"),
    [
        ([put(0)], service_error("TransactionConflictException")),
        ([put(0), put(1)], transaction_canceled("TransactionConflict", "None")),
    ],
    ids=["put", "transaction"],
)
def test_a_put_that_is_in_conflict_for_ever_gives_up_after_ten_attempts(
    puts: list[Put], error: ServiceError
) -> None:
    attempts: list[Request[Any]] = []
    with pytest.raises(ServiceError) as raised:
        refuse_for_ever(put_skipping_existing(puts), error, attempts)
    assert raised.value is error
    assert len(attempts) == ATTEMPTS
