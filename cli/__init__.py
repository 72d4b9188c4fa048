"""The command `gcr`: thin commands over the library; nothing here computes."""
