"""`python -m langgraph_checkpoint_dynamodb.cli` is `langgraph-dynamodb`."""

import sys

from langgraph_checkpoint_dynamodb.cli import main

sys.exit(main())
