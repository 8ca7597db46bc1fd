#!/bin/sh
# Started by the Lambda Web Adapter: this file is the handler of the function.
cd "$LAMBDA_TASK_ROOT" || exit 1
exec python -m purchase_desk
