"""Moving threads: from another saver, to a stream of JSON lines, and back.

Everything here goes by the methods that every LangGraph saver has, so it works between any two.
"""
