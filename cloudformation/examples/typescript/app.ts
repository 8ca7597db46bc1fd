// A stack with the tables of langgraph-checkpoint-dynamodb, and a function that may run graphs on
// them. `npm install`, then `npx aws-cdk@2.1148.1 bootstrap`, once for each account and region, and
// `npx aws-cdk@2.1148.1 deploy`.
import { join } from "node:path";

import { App, CfnOutput, Fn, Stack, StackProps } from "aws-cdk-lib";
import { CfnInclude } from "aws-cdk-lib/cloudformation-include";
import * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import * as iam from "aws-cdk-lib/aws-iam";
import * as lambda from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";

const TEMPLATE = join(__dirname, "..", "..", "langgraph-checkpoint-dynamodb.yaml");

export class AgentStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const checkpoints = new CfnInclude(this, "Checkpoints", {
      templateFile: TEMPLATE,
      parameters: { ThreadIndexOwner: "user_id", TtlSeconds: 30 * 86400, CreatePolicies: "true" },
    });
    const agent = new lambda.Function(this, "Agent", {
      runtime: lambda.Runtime.PYTHON_3_13,
      handler: "index.handler",
      code: lambda.Code.fromInline("def handler(event, context): ..."),
      environment: { SAVER_SETTINGS: checkpoints.getOutput("SaverSettings").value },
    });
    // What an agent needs; the other policies are those of the other roles.
    const runtime = checkpoints.getResource("RuntimePolicy") as iam.CfnManagedPolicy;
    agent.role?.addManagedPolicy(iam.ManagedPolicy.fromManagedPolicyArn(this, "Runtime", runtime.ref));

    // What the template makes has the types of the CDK.
    const table = checkpoints.getResource("CheckpointsTable") as dynamodb.CfnGlobalTable;
    new CfnOutput(this, "Table", { value: Fn.join("", ["the checkpoints are in ", table.ref]) });
  }
}

const app = new App();
new AgentStack(app, "AgentStack");
app.synth();
