"""Observing calls and requests without affecting them."""
