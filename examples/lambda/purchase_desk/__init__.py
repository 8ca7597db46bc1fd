"""A purchase desk on AWS Lambda: an agent that places orders, large ones only after approval."""
