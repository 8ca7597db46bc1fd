"""The call of the AWS SDK that performs each request."""
