terraform {
  # 1.9: a validation may compare one variable with another.
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # What was tried: 5.100.0. Releases of 6.x had regressions with indexes like those here. To lift
      # the cap, write "< 7.0" here and read the plan of tables in use: it must change nothing.
      version = ">= 5.100, < 6.0"
    }
  }
}
