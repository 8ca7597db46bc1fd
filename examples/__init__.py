"""Runnable examples: `python -m examples.approval_agent`."""
