"""`python -m langgraph_checkpoint_dynamodb.recovery`."""

from langgraph_checkpoint_dynamodb.recovery.command import main

if __name__ == "__main__":
    main()
