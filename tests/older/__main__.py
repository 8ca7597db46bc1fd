"""Records anew what the packages of older writers store: `make older-writers RECORD=1`."""

from tests.older.sources import WRITERS, record
from tests.support.engines import running_engine
from tests.support.tables import new_tables

with running_engine() as engine:
    for writer in WRITERS:
        tables = new_tables(engine)
        record(writer, writer.write(tables))
        tables.client.close()
