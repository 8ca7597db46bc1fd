"""Runners perform operations. Only they and the serializer of attribute values use the SDK."""
