"""Pictures of `langgraph-dynamodb explore`: `python -m examples.pictures` draws them."""
