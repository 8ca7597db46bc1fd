"""A deep agent whose threads, long-term memory and cached look-ups are on DynamoDB."""
