"""Finding threads and checkpoints, and running an operation for each of many threads."""
