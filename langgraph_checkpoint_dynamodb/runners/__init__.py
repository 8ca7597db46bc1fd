"""Runners: they perform operations. The only place, besides the serializer, that knows the SDK."""
