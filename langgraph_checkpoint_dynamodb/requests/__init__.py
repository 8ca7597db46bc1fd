"""Requests as values, and what every operation needs of DynamoDB. No I/O."""
