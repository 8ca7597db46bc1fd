"""Records the items of older writers and releases: `make older-writers RECORD=1`."""

from tests.older.releases import DIFFERENCES, RELEASES
from tests.older.sources import WRITERS, record
from tests.support.engines import running_engine
from tests.support.tables import new_tables

with running_engine() as engine:
    for writer in (*WRITERS, *RELEASES, DIFFERENCES):
        tables = new_tables(engine)
        record(writer, writer.write(tables))
        tables.client.close()
