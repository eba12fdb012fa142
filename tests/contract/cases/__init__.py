"""The contract cases, one file per family."""
