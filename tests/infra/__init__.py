"""The Terraform module and the CDK stack: compared, deployed, used and torn down.

Run by `make infra-test`, which installs what they need; `make test` leaves this folder out.
"""
