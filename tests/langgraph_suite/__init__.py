"""LangGraph's own tests with this package's savers in place of `InMemorySaver`.

`make langgraph-suite` runs them three times: with `InMemorySaver`, with `DynamoDBSaver` and with
`AsyncDynamoDBSaver`. What differs must be explained in `differences.py`.
"""
