"""Records the items that other packages store: `make older-writers RECORD=1`."""

import os

from tests.moving.foreign.sources import WRITERS
from tests.support.buckets import new_bucket, running_object_store
from tests.support.engines import running_engine
from tests.support.sessions import new_session

# Fake credentials: the engines accept any.
os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",  # noqa: S106 - not a secret
    AWS_DEFAULT_REGION="us-east-1",
)
with running_engine() as engine, running_object_store(engine) as url:
    client = new_session().client("dynamodb", endpoint_url=engine.url)
    for writer in WRITERS:
        writer.record(writer.write(engine, client, new_bucket(url)))
