"""A chat to look at: conversations, approvals that wait, time travel and what each turn has cost.

Run it from the root of the repository with `make web`; README.md in this folder says what to try.
"""
