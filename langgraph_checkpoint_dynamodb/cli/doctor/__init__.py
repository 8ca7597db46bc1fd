"""Checks of `doctor`: environment, tables, permissions."""
