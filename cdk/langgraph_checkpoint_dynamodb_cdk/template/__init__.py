"""CloudFormation templates of tables, alarms and dashboard, generated from the construct.

`python -m langgraph_checkpoint_dynamodb_cdk.template NAME` prints one of them.
"""

from langgraph_checkpoint_dynamodb_cdk.template.alarms import (
    make_alarm_template,
    make_dashboard_template,
)
from langgraph_checkpoint_dynamodb_cdk.template.assembly import make_template
from langgraph_checkpoint_dynamodb_cdk.template.declarations import Parameter
from langgraph_checkpoint_dynamodb_cdk.template.parameters import PARAMETERS

__all__ = [
    "PARAMETERS",
    "Parameter",
    "make_alarm_template",
    "make_dashboard_template",
    "make_template",
]
