"""Threads that the real packages of older writers have stored, read and resumed.

`recorded/` holds their items, as recorded by `make older-writers RECORD=1`; `make older-writers`
runs the same tests on items that the packages write during the run.
"""
