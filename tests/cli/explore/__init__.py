"""The thread browser, tested key by key on a real engine."""
