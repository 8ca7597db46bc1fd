"""What is loaded into LangGraph's own test session.

LangGraph's tests are a package named `tests`, as this project's are. So this one is named `inside`
there, and can import nothing of this project but the package itself, and its own modules.
"""
