"""Requests as values, and the operations on DynamoDB and S3 that all others use. No I/O."""
