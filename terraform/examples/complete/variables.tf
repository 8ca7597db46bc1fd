variable "name" {
  description = "What the names of everything begin with."
  type        = string
  default     = "langgraph-complete"
}

variable "sweep_package" {
  description = "Path of a zip file with the saver and what it needs, to sweep every night. Null leaves that out."
  type        = string
  default     = null
}

variable "protected" {
  description = "Whether tables cannot be deleted, nor a bucket that holds objects. Apply `false` before a destroy."
  type        = bool
  default     = true
}
