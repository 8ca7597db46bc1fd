"""A deep agent with its threads, long-term memory and cached look-ups in DynamoDB."""
