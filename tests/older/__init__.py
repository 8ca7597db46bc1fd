"""Threads that the real packages of older writers have stored, read and resumed.

`recorded/` holds their items, as `make older-writers RECORD=1` found them; `make older-writers`
runs the same tests on items that the packages write anew.
"""
