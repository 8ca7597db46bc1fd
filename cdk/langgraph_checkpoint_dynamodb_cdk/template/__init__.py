"""The store as one CloudFormation template, made from the construct.

`python -m langgraph_checkpoint_dynamodb_cdk.template` prints it.
"""

from langgraph_checkpoint_dynamodb_cdk.template.assembly import make_template
from langgraph_checkpoint_dynamodb_cdk.template.parameters import PARAMETERS, Parameter

__all__ = ["PARAMETERS", "Parameter", "make_template"]
