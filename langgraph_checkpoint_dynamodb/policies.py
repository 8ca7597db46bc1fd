"""The IAM actions each group of calls needs: what the published policies are made from.

A TransactWriteItems request of puts is authorized by `dynamodb:PutItem`; IAM has no action of its
own for it (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html).
"""

from __future__ import annotations

RUN_ACTIONS = frozenset({"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"})
"""To run, resume, list and fork threads."""

PROLONG_ACTIONS = frozenset({"dynamodb:UpdateItem"})
"""Also to run threads with DeltaChannels whose items expire."""

DELETE_ACTIONS = RUN_ACTIONS | {"dynamodb:BatchWriteItem"}
"""Also to delete, prune and copy threads, and to clean up after large values that were replaced."""

SCAN_ACTIONS = DELETE_ACTIONS | {"dynamodb:Scan"}
"""Also for `list(None)`, and for `delete_for_runs` without a run index."""

SWEEP_ACTIONS = SCAN_ACTIONS | {"dynamodb:DeleteItem"}
"""Also for `sweep_orphans`."""

SETUP_ACTIONS = frozenset(
    {
        "dynamodb:CreateTable",
        "dynamodb:DescribeTable",
        "dynamodb:DescribeTimeToLive",
        "dynamodb:UpdateTable",
        "dynamodb:UpdateTimeToLive",
    }
)
"""For `setup()` alone; UpdateTable only where it adds the run index to a table that exists, those
of the time to live only with `ttl_seconds`."""

S3_RUN_ACTIONS = frozenset({"s3:GetObject", "s3:PutObject"})
"""On the objects below the key prefix, to run and copy threads with values in S3."""

S3_BUCKET_ACTIONS = frozenset({"s3:ListBucket"})
"""On the bucket. Nothing is ever listed, but without it S3 calls a missing object forbidden."""

S3_DELETE_ACTIONS = frozenset({"s3:DeleteObject"})
"""Also to delete, prune and sweep them, and to clean up after values that were replaced."""
