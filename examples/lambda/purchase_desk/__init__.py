"""A purchase desk on AWS Lambda: an agent that orders things, and asks before it spends much."""
