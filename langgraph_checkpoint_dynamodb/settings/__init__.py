"""What savers, stores and caches are configured with: frozen, checked when made."""
