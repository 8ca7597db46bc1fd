terraform {
  # 1.9: a validation may compare one variable with another.
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 5.73: `on_demand_throughput`, with either of its limits alone.
      version = ">= 5.73, < 7.0"
    }
  }
}
