"""Public files of generation and load: one module a format; `formats` is the table of them and the door."""
