"""The IAM actions each group of calls needs: what the published policies are made from.

A TransactWriteItems request of puts is authorized by `dynamodb:PutItem`; IAM has no action of its
own for it (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html).
"""

from __future__ import annotations

RUN_ACTIONS = frozenset({"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"})
"""To run, resume, list and fork threads."""

DELETE_ACTIONS = RUN_ACTIONS | {"dynamodb:BatchWriteItem"}
"""Also to delete, prune and copy threads."""

SCAN_ACTIONS = DELETE_ACTIONS | {"dynamodb:Scan"}
"""Also for `list(None)`, and for `delete_for_runs` without a run index."""

SETUP_ACTIONS = frozenset(
    {"dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:UpdateTable"}
)
"""For `setup()` alone; UpdateTable only where it adds the run index to a table that exists."""
