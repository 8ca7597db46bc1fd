"""The browser of threads, pressed key by key on a real engine."""
