"""A demo chat: conversations, pending approvals, time travel and the cost of each turn.

Run it from the root of the repository with `make web`; README.md in this folder says what to try.
"""
