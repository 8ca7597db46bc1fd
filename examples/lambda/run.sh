#!/bin/sh
# What the Lambda Web Adapter starts: the handler of the function names this file.
cd "$LAMBDA_TASK_ROOT" || exit 1
exec python -m purchase_desk
