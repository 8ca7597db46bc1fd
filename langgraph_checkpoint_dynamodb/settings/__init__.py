"""Settings of savers, stores and caches: frozen, validated when created."""
