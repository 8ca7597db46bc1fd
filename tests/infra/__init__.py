"""The Terraform module and the CDK stack: compared, deployed, used and destroyed.

Run by `make infra-test`, which installs the tools; `make test` skips this folder.
"""
