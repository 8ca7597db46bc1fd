"""Simulates every interleaving of concurrent calls, one step at a time.

Operations are generators of requests, so the interaction of two calls is a list of steps: whose
request takes effect next, whose response is lost, which process crashes. The simulation uses no
engine, no threads and no real time.

`world` is the model of the two tables and the bucket; `test_world.py` checks it against a real
engine. `processes` turns a call into steps that can be resumed from any point. `variants` are the
ways to store values, `scenarios` the small threads and the calls on them. `explore` runs every
schedule of a few calls. `chance` runs random schedules of more calls, and shrinks a failing one to
a short report. `judging` defines what must be true of each schedule.
"""
