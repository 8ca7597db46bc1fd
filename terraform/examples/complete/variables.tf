variable "name" {
  description = "What the names of everything begin with."
  type        = string
  default     = "langgraph-complete"
}

variable "protected" {
  description = "Whether tables cannot be deleted, nor a bucket that holds objects. Apply `false` before a destroy."
  type        = bool
  default     = true
}
