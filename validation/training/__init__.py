"""Training runs: declared as data, performed in parallel, kept epoch by epoch, and read into tables and pictures."""
