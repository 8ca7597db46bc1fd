"""Every way in which calls that run at the same time can meet, played out one step at a time.

Operations are generators of requests, so what two calls can do to each other is a list of steps:
whose request takes effect next, whose reply is lost, who dies. No engine, no threads, no time.

`world` is the model of the two tables and the bucket; `test_world.py` holds it to a real engine.
`processes` turns a call into steps that can be taken from any point again. `variants` are the ways
to store values, `scenarios` the small threads and the calls on them. `explore` takes every schedule
of a few calls, `chance` takes schedules of more calls at random, and shrinks one that fails to a
short story. `judging` says what must be true of each of them.
"""
