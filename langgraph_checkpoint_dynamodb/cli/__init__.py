"""The command line: `langgraph-dynamodb`."""
