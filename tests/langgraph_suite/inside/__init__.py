"""Modules loaded into LangGraph's own test session.

LangGraph's tests are a package named `tests`, like this project's. So this package is named
`inside` there, and can only import its own modules and `langgraph_checkpoint_dynamodb`.
"""
