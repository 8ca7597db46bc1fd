"""What is told of calls and requests, to whom, and how that is kept out of the calls."""
